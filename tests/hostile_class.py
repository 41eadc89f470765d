"""A course whose class is hostile: what each handed in, and what it has to get.

The submissions that are code are in ``hostile/*.toml``; those that are odd files are
here. An outcome stands next to each.
"""

import copy
import json
import os
import re
import socket
import stat
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from chula_rl.grading import release, source
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.records import GRADED, REFUSED

NAME = "small"
EXERCISES = {
    "rewards_to_go": 2,
    "gaussian_log_prob": 3,
    "gaussian_entropy": 1,
    "apply_twice": 1,
}
LIMITS = """[limits]
wall_seconds = 45
cell_seconds = 10
cpu_seconds = 60
memory = 1_000_000_000
message_size = 8_000_000
output = 200_000
"""
SIGN = "CANARY-"  # of what nobody may find; hostile code writes it in two parts

RIGHT = {  # in a style of their own, so that the reference's text is in none of them
    "rewards_to_go": """
def rewards_to_go(reward, gamma):
    powers = gamma ** torch.arange(len(reward), dtype=reward.dtype)
    return torch.stack([
        (reward[t:] * powers[: len(reward) - t]).sum() for t in range(len(reward))
    ])
""",
    "gaussian_log_prob": """
def gaussian_log_prob(mean, log_std, action):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(action).sum(-1)
""",
    "gaussian_entropy": """
def gaussian_entropy(log_std):
    return torch.distributions.Normal(0.0, log_std.exp()).entropy().sum(-1)
""",
    "apply_twice": """
def apply_twice(function, value):
    return function(function(value))
""",
}
WRONG = {
    "rewards_to_go": "def rewards_to_go(reward, gamma): return 0 * reward",
    "gaussian_log_prob": "def gaussian_log_prob(m, s, a): return m.sum(-1)",
    "gaussian_entropy": "def gaussian_entropy(log_std): return log_std.sum(-1)",
    "apply_twice": "def apply_twice(function, value): return value",
}
NOISE = """
import sys, warnings
from tqdm import tqdm
warnings.warn("a warning")
print("to stderr", file=sys.stderr)
for _ in tqdm(range(100)):
    pass
"""
NOISY = """
def rewards_to_go(reward, gamma):
    import sys, warnings
    from tqdm import tqdm
    warnings.warn("deprecated")
    print("reward", reward, file=sys.stderr)
    result, total = torch.zeros_like(reward), 0.0
    for t in tqdm(reversed(range(len(reward))), total=len(reward)):
        print(t)
        total = reward[t] + gamma * total
        result[t] = total
    return result
"""

LENT = '''
+++ {{"nbgrader": {meta_text}}}

## Twice

Apply a function twice.

```{{code-cell}} ipython3
---
nbgrader: {meta_solution}
---
def apply_twice(function, value):
    """The function of the function of a value."""
    ### BEGIN SOLUTION
    once = function(value)  # {canary}
    return function(once)
    ### END SOLUTION
```

```{{code-cell}} ipython3
---
nbgrader: {meta_test}
---
def add(value):
    return value + 1


assert apply_twice(add, 1) == 3, "Twice one more is two more."
### BEGIN HIDDEN TESTS
twice = apply_twice(lambda text: text + "a", "")
assert type(twice) is str and twice == "aa", "It works with text as well."
### END HIDDEN TESTS
```

'''

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Submission:
    """What one student hands in, and what it gets.

    Attributes:
        name: the student.
        why: the reason of the outcome.
        points: of each exercise; empty if refused.
        status: of the outcome.
        messages: patterns of the messages of some exercises.
        shows: a pattern of what all its cells show.
        hides: a pattern of what they must not show.
        notes: a pattern of the notes on it, or of the reason of its refusal.
        cells: code by the name of its cell; see ``hostile/forging.toml``.
        edit: changes the notebook.
        place: puts something else in the place of the file.
    """

    name: str
    why: str = ""
    points: tuple[float, ...] = ()
    status: str = GRADED
    messages: dict[str, str] = field(default_factory=dict)
    shows: str = ""
    hides: str = ""
    notes: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    edit: Callable[[Notebook], None] | None = None
    place: Callable[[Path], None] | None = None


def make_course(root: Path, copy_course: Callable[[Path], Path], secret: str) -> Course:
    """The first exercises of `reinforce`, one more, and its written answer."""
    course = Course(copy_course(root))
    text = source.text(course, "reinforce")
    begin, end = (
        text.index(f'+++ {{"nbgrader": {{"grade": false, "grade_id": "{name}"')
        for name in ("bounded-action-text", "baseline-text")
    )
    lent = LENT.format(
        canary=secret,
        meta_text=_meta("apply_twice-text"),
        meta_solution=_meta("apply_twice", locked=False, solution=True),
        meta_test=_meta("test-apply_twice", grade=True, points=1),
    )
    folder = course.assignments / "source" / NAME
    folder.mkdir()
    (folder / f"{NAME}.md").write_text(text[:begin] + lent.lstrip("\n") + text[end:])
    (course.assignments / "grading.toml").write_text(LIMITS)
    contract = source.CONTRACT
    source.CONTRACT = {NAME: CONTRACT["reinforce"][:3]}
    try:
        release.release(course, NAME)
    finally:
        source.CONTRACT = contract
    return course


def _meta(grade_id: str, **changes: Any) -> str:
    data = {"grade": False, "grade_id": grade_id, "locked": True, "schema_version": 3}
    return json.dumps(data | {"solution": False, "task": False} | changes)


def from_files(places: dict[str, str]) -> list[Submission]:
    """The submissions in ``hostile/*.toml``, with names of places filled in."""
    found = []
    for path in sorted((Path(__file__).parent / "hostile").glob("*.toml")):
        text = path.read_text()
        for name, place in places.items():
            text = text.replace(f"@{name}@", place)
        for entry in tomllib.loads(text)["submission"]:
            found.append(Submission(**entry | {"points": tuple(entry["points"])}))
    return found


def hand_in(course: Course, submission: Submission) -> None:
    """Put a submission where nbgrader collects."""
    folder = course.submitted(NAME, submission.name)
    folder.mkdir(parents=True)
    released = course.released(NAME) / f"{NAME}.ipynb"
    notebook = json.loads(released.read_text())
    solve(notebook, RIGHT | submission.cells)
    if submission.edit:
        submission.edit(notebook)
    (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook))
    if submission.place:
        submission.place(folder)


def solve(notebook: Notebook, code: dict[str, str]) -> None:
    """Put code in the cells of its name; ``first`` and ``last`` are further cells."""
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in code:
            cell["source"] = code[name]
    for name, index in (("first", 0), ("last", len(notebook["cells"]) + 1)):
        if name in code:
            notebook["cells"].insert(index, plain(code[name]))


def plain(code: str, **metadata: Any) -> Notebook:
    """A code cell."""
    cell = nbformat.v4.new_code_cell(code, metadata=metadata)
    return json.loads(json.dumps(cell))


def find(notebook: Notebook, name: str) -> Notebook:
    """The cell of a name."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
            return cell
    raise KeyError(name)


HONEST = [
    Submission("honest-own-style", points=(2, 3, 1, 1)),
    Submission(
        "honest-noisy",
        "What a function prints, and warnings and progress bars, cost nothing.",
        points=(2, 3, 1, 1),
        cells={"first": NOISE, "rewards_to_go": NOISE + NOISY},
    ),
    Submission(
        "honest-partly-wrong",
        points=(2, 0, 1, 0),
        messages={"gaussian_log_prob": "sign"},
        cells={
            "gaussian_log_prob": RIGHT["gaussian_log_prob"].replace(
                "return", "return -"
            ),
            "apply_twice": "def apply_twice(function, value): return function(value)",
        },
    ),
]
FULL, NONE = (2, 3, 1, 1), (0, 0, 0, 0)


def forged_outputs(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "1000"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
            cell["execution_count"] = 1


def impostors(notebook: Notebook) -> None:
    for name in EXERCISES:
        own = find(notebook, f"test-{name}")
        fake = copy.deepcopy(own) | {"source": "1000", "id": f"fake-{name[:8]}"}
        notebook["cells"].insert(0, fake)


def own_tests(notebook: Notebook) -> None:
    for name in EXERCISES:
        find(notebook, f"test-{name}")["source"] = "1000  # always right"


def altered_points(notebook: Notebook) -> None:
    for name in EXERCISES:
        find(notebook, f"test-{name}")["metadata"]["nbgrader"]["points"] = 1000


def swapped_flags(notebook: Notebook) -> None:
    for name in EXERCISES:
        test, own = (
            find(notebook, n)["metadata"]["nbgrader"] for n in (f"test-{name}", name)
        )
        test |= {"grade": False, "solution": True, "locked": False}
        own |= {"grade": True, "locked": True, "points": 1000}
        test.pop("points")


def odd_metadata(notebook: Notebook) -> None:
    test, entropy, log_prob = (
        find(notebook, name)["metadata"]
        for name in ("test-rewards_to_go", "gaussian_entropy", "gaussian_log_prob")
    )
    test["nbgrader"] = 3
    entropy["nbgrader"]["points"] = float("inf")
    log_prob["nbgrader"]["grade_id"] = ["a"]
    notebook["metadata"] = {"kernelspec": {"name": "../../evil", "argv": ["sh"]}}


def schema_version(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 99


def without(*names: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        for name in names:
            notebook["cells"].remove(find(notebook, name))

    return edit


def moved(notebook: Notebook) -> None:
    notebook["cells"].reverse()


def duplicates(notebook: Notebook) -> None:
    own = find(notebook, "rewards_to_go")
    wrong = copy.deepcopy(own) | {"source": WRONG["rewards_to_go"]}
    notebook["cells"].insert(notebook["cells"].index(own) + 1, wrong)
    for cell in notebook["cells"]:
        cell["id"] = "same"


def scripts(notebook: Notebook) -> None:
    answer = find(notebook, "answer-baseline")
    answer["source"] = (
        "<script>alert('answer')</script> <img src=x onerror=alert('answer')> "
        "[link](javascript:alert('answer'))"
    )


SCRIPTS = """
from IPython.display import HTML, Javascript, display
display(HTML("<script>alert('output')</script>"), Javascript("alert('output')"))
print("<script>alert('output')</script><img src=x onerror=alert('output')>")
display({"text/plain": "<script>alert('output')</script>"}, raw=True)
raise ValueError("<script>alert('output')</script>")
"""

NOTEBOOKS = [
    Submission("forged-outputs", points=NONE, cells=WRONG, edit=forged_outputs),
    Submission(
        "impostor-cells",
        "The first cell of a name counts, and of a test only its name.",
        points=NONE,
        notes="there 2 times",
        cells=WRONG,
        edit=impostors,
    ),
    Submission(
        "own-tests", "Tests are the assignment's.", NONE, cells=WRONG, edit=own_tests
    ),
    Submission("altered-points", points=FULL, notes="settings", edit=altered_points),
    Submission("swapped-flags", points=FULL, notes="settings", edit=swapped_flags),
    Submission(
        "odd-metadata",
        "A cell that has no name of ours is the student's own; what it defines counts.",
        FULL,
        notes="gaussian_log_prob' was missing",
        edit=odd_metadata,
    ),
    Submission("schema-version-99", points=FULL, notes="settings", edit=schema_version),
    Submission(
        "deleted-solution",
        points=(2, 0, 1, 1),
        notes="gaussian_log_prob' was missing",
        messages={"gaussian_log_prob": "not there"},
        edit=without("gaussian_log_prob"),
    ),
    Submission(
        "deleted-tests",
        points=NONE,
        notes="tests 'test-rewards_to_go' were missing",
        cells=WRONG,
        edit=without(*(f"test-{name}" for name in EXERCISES)),
    ),
    Submission(
        "no-cells",
        points=NONE,
        notes="was missing",
        edit=lambda notebook: notebook["cells"].clear(),
    ),
    Submission("moved-cells", points=FULL, notes="another order", edit=moved),
    Submission(
        "duplicate-ids",
        "The first solution stands; the second runs after it, as a cell of one's own.",
        (0, 3, 1, 1),
        notes="there 2 times",
        edit=duplicates,
    ),
    Submission(
        "nbformat-minor-99",
        points=FULL,
        edit=lambda notebook: notebook.update(nbformat_minor=99),
    ),
    Submission("script-in-answer", points=FULL, edit=scripts),
    Submission("script-in-output", points=FULL, cells={"first": SCRIPTS}),
]


def write(data: bytes) -> Callable[[Path], None]:
    return lambda folder: _swap(folder, lambda path: path.write_bytes(data) and None)


def _swap(folder: Path, make: Callable[[Path], object]) -> None:
    path = folder / f"{NAME}.ipynb"
    path.rename(folder / "whole") if path.exists() else None
    make(path)
    (folder / "whole").unlink(missing_ok=True)


def reformat(**changes: Any) -> Callable[[Path], None]:
    def place(folder: Path) -> None:
        path = folder / f"{NAME}.ipynb"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return place


def truncated(folder: Path) -> None:
    path = folder / f"{NAME}.ipynb"
    path.write_bytes(path.read_bytes()[:-1000])


def utf16(folder: Path) -> None:
    path = folder / f"{NAME}.ipynb"
    path.write_bytes(path.read_text().encode("utf-16"))


def renamed(folder: Path) -> None:
    (folder / f"{NAME}.ipynb").rename(folder / "My homework (2).ipynb")


def link(folder: Path) -> None:
    target = folder.parents[2] / "source" / NAME / f"{NAME}.ipynb"
    _swap(folder, lambda path: path.symlink_to(target))


def hard_link(folder: Path) -> None:
    target = folder.parents[2] / "source" / NAME / f"{NAME}.ipynb"
    _swap(folder, lambda path: path.hardlink_to(target))


def linked_folder(folder: Path) -> None:
    target = folder.parents[1] / "honest-own-style" / NAME
    (folder / f"{NAME}.ipynb").unlink()
    folder.rmdir()
    folder.symlink_to(target)


def listening(folder: Path) -> None:
    def make(path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            here = Path.cwd()
            os.chdir(folder)  # the name of a socket is short
            try:
                sock.bind(path.name)
            finally:
                os.chdir(here)

    _swap(folder, make)


def device(folder: Path) -> None:
    if os.geteuid() != 0:  # then the nearest thing
        return _swap(folder, lambda path: path.symlink_to("/dev/zero"))
    number = os.makedev(1, 5)
    return _swap(folder, lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, number))


def sparse(folder: Path) -> None:
    os.truncate(folder / f"{NAME}.ipynb", 150_000_000)


def cells(number: int) -> bytes:
    cell = '{"cell_type":"raw","metadata":{},"source":""}'
    body = ",".join([cell] * number)
    return (
        f'{{"nbformat":4,"nbformat_minor":5,"metadata":{{}},"cells":[{body}]}}'.encode()
    )


def many_files(folder: Path) -> None:
    for number in range(1000):
        (folder / f"{number}.txt").touch()


def zip_slip(folder: Path) -> None:
    with zipfile.ZipFile(folder / f"{NAME}.zip", "w") as archive:
        for name in ("../", "../../", "/", "/tmp/", f"{folder.parents[2]}/"):
            archive.writestr(f"{name}hostile-was-here", "x")
    (folder / "..ipynb").write_text("{}")
    (folder / "..\\..\\hostile-was-here.ipynb").write_text("{}")


def shipped_modules(folder: Path) -> None:
    trap = "open('/tmp/hostile-was-here', 'w'); print('CAN' + 'ARY-shipped')\n"
    trap += "raise SystemExit('a shipped file was run')\n"
    for name in (
        *("numpy.py", "torch.py", "msgpack.py", "sitecustomize.py", "usercustomize.py"),
        *(
            "conftest.py",
            "nbgrader_config.py",
            "jupyter_server_config.py",
            "chula_rl.py",
        ),
        *("ipython_config.py", ".ipython/profile_default/startup/00.py"),
        *("inside/__init__.py", "chula_rl/__init__.py", ".pythonstartup"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trap)
    kernel = {"argv": ["sh", "-c", "touch /tmp/hostile-was-here"], "language": "python"}
    (folder / "kernel.json").write_text(
        json.dumps(kernel | {"display_name": "Python 3"})
    )
    (folder / "pyvenv.cfg").write_text("home = /tmp\n")


def surrogates(notebook: Notebook) -> None:
    notebook["cells"].insert(0, plain("print('\\ud800')  # \ud800 \x00 \x1b[2J \u202e"))


FILES = [
    Submission("file-link", status=REFUSED, notes="is a link", place=link),
    Submission("folder-link", status=REFUSED, notes="", place=linked_folder),
    Submission("hard-link", status=REFUSED, notes="hard link", place=hard_link),
    Submission(
        "pipe",
        status=REFUSED,
        notes="no regular file",
        place=lambda folder: _swap(folder, os.mkfifo),
    ),
    Submission("listening", status=REFUSED, notes="no regular file", place=listening),
    Submission("device", status=REFUSED, notes="no regular file|a link", place=device),
    Submission(
        "folder-as-notebook",
        status=REFUSED,
        notes="there is no small.ipynb",
        place=lambda folder: _swap(folder, Path.mkdir),
    ),
    Submission(
        "no-file", status=REFUSED, place=lambda f: (f / f"{NAME}.ipynb").unlink()
    ),
    Submission("renamed", status=REFUSED, notes="Rename 'My homework", place=renamed),
    Submission("empty", status=REFUSED, notes="empty", place=write(b"")),
    Submission("no-json", status=REFUSED, notes="not JSON", place=write(b"{'cells': ")),
    Submission(
        "pickle", status=REFUSED, notes="not JSON", place=write(b"\x80\x04cos\n.")
    ),
    Submission("truncated", status=REFUSED, notes="not JSON", place=truncated),
    Submission("utf-16", status=REFUSED, notes="UTF-8", place=utf16),
    Submission(
        "deep-json",
        status=REFUSED,
        notes="brackets deep",
        place=write(b"[" * 200_000 + b"]" * 200_000),
    ),
    Submission("nbformat-3", status=REFUSED, notes="is 3", place=reformat(nbformat=3)),
    Submission(
        "nbformat-99", status=REFUSED, notes="is 99", place=reformat(nbformat=99)
    ),
    Submission(
        "cells-as-text", status=REFUSED, notes="list", place=reformat(cells="cells")
    ),
    Submission("sparse-150-mb", status=REFUSED, notes="150,000,000", place=sparse),
    Submission(
        "100000-cells",
        status=REFUSED,
        notes="at most 2000",
        place=write(cells(100_000)),
    ),
    Submission("1000-files", status=REFUSED, notes="100 files", place=many_files),
    Submission("zip-slip", "It is never unpacked.", FULL, place=zip_slip),
    Submission("shipped-modules", "None is there.", FULL, place=shipped_modules),
    Submission("surrogates", points=FULL, edit=surrogates),
    Submission('it\'s a "name" with spaces', points=FULL),
    Submission("ชื่อ-Łódź-名前", points=FULL),
    Submission("a&b;c$(touch hostile-was-here)<b>", points=FULL),
]


def text_of(outputs: dict[str, list[Notebook]]) -> str:
    """All that the cells of an outcome showed."""
    parts = []
    for shown in outputs.values():
        for output in shown:
            parts += [output.get("text", ""), output.get("evalue", "")]
            parts += [output.get("data", {}).get("text/plain", "")]
    return "".join(
        part if part.endswith("\n") else part + "\n" for part in parts if part
    )


def matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.MULTILINE) is not None
