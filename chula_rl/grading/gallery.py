"""The bug gallery: which mistake is behind which case, and what to tell who errs.

``assignments/gallery.toml`` lists the mistakes. ``chula-rl assignments gallery`` trains
with the wrong functions of the catalogue that it names, gives each case a letter, and
writes two files: for students the runs, without a word on what they are
(``chula_rl/data/gallery.safetensors``), and for the grader which is which
(``gallery_key.py``).
"""

from chula_rl import gallery
from chula_rl.errors import MarkerError
from chula_rl.grading.gallery_key import KEY, WHY

MODULE = "gallery"  # in the targets of contract.CASES


def solution(name: str) -> str:
    """The right text of ``case_<letter>``, with markers, as of a graded function.

    Raises:
        MarkerError: there is no such case.
    """
    letter = name.removeprefix("case_").upper()
    if letter not in KEY:
        raise MarkerError(f"'# include: {MODULE}:{name}' names none of {[*KEY]}.")
    runs, _ = gallery.case(letter)
    column, *_ = WHY[KEY[letter]][runs.algorithm]
    return (
        f"def {name}() -> tuple[str, str]:\n"
        f'    """The mistake behind case {letter}, and a column that shows it."""\n'
        "    ### BEGIN SOLUTION\n"
        f'    return "{KEY[letter]}", "{column}"\n'
        "    ### END SOLUTION"
    )


def judge(letter: str, answer: tuple[str, str]) -> None:
    """Pass if a diagnosis is right; else point at what contradicts it.

    Args:
        letter: of the case.
        answer: as ``gallery.check`` lets it pass.

    Raises:
        AssertionError: the diagnosis is wrong; the message never names the right one.
    """
    mistake, _ = answer
    if mistake != KEY[letter]:
        column, third, claimed, seen = WHY[KEY[letter]][mistake]
        raise AssertionError(
            f"Case {letter}: not '{mistake}'. With that mistake `{column}` is "
            f"{claimed} the healthy runs in the {third} third of the training; here "
            f"it is {seen} them."
        )
