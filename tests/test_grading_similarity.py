"""Submissions that are alike: what is found, what is not, and how it is shown."""

import contextlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import test_grading_gradebook as tiny

from chula_rl.cli import main
from chula_rl.errors import ConfigError, SubmissionError
from chula_rl.grading import similarity
from chula_rl.grading.similarity import CODE, WRITTEN
from chula_rl.grading.similarity_page import page

NO_RELEASE = {CODE: "", WRITTEN: ""}
SUM = """
def discounted(reward, gamma):
    # from the end to the beginning
    result = []
    total = 0.0
    for step in reversed(range(len(reward))):
        total = reward[step] + gamma * total
        result.insert(0, total)
    return torch.stack(result)
"""
SUM_DISGUISED = """
def discounted(r, g):
    # My own idea!
    answer = []
    acc = 0.0

    for i in reversed(range(len(r))):   # walk back
        acc = r[i]+g*acc
        answer.insert(0, acc)
    return torch.stack(answer)
"""
MATRIX = """
def discounted(reward, gamma):
    steps = torch.arange(len(reward))
    lag = steps[None, :] - steps[:, None]
    weights = torch.where(lag >= 0, gamma ** lag.clamp(min=0), 0.0)
    return weights.to(reward.dtype) @ reward
"""
ANSWER = (
    "Given the state, the baseline is a constant, so that it leaves the expectation "
    "over actions, and the expected score is zero because probabilities sum to one."
)


def notebook(code="", answer="", more=""):
    make, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    found = nbformat.v4.new_notebook()
    found.cells = [
        tiny.cell(text, "intro", "# Sums"),
        tiny.cell(make, "sum", code, solution=True),
        tiny.cell(make, "test-sum", "assert True", points=2),
        tiny.cell(make, "more", more, solution=True),
        make("print('a cell of the student')", id="free"),
        tiny.cell(text, "answer", answer, points=5, solution=True),
    ]
    return found


def works(*notebooks):
    return [similarity.work(f"s{i}", one) for i, one in enumerate(notebooks)]


def compared(*notebooks, released=NO_RELEASE, threshold=0.0):
    return {
        tuple(work.student for work in pair.works): pair
        for pair in similarity.pairs(works(*notebooks), released, threshold)
    }


def test_copies_are_found_whatever_the_names_comments_and_spaces():
    found = compared(notebook(SUM), notebook(SUM_DISGUISED), notebook(MATRIX))
    assert list(found) == [("s0", "s1")]
    assert found["s0", "s1"].part > 0.75  # a text as short as this is never all
    assert set(found["s0", "s1"].shared) == {CODE}


def test_a_copy_in_another_cell_is_found():
    found = compared(notebook(SUM), notebook(MATRIX, more=SUM_DISGUISED))
    parts = found["s0", "s1"].shared[CODE].parts
    assert parts[0] > 0.75
    assert 0.3 < parts[1] < 0.7  # of what the second one wrote


def test_what_was_released_does_not_count():
    given = notebook(SUM)
    given.cells.append(nbformat.v4.new_markdown_cell(f"As in:\n```python\n{MATRIX}```"))
    released = similarity.released_text(given)
    assert compared(notebook(SUM), notebook(SUM), released=released) == {}
    assert compared(notebook(MATRIX), notebook(MATRIX), released=released) == {}
    released = similarity.released_text(notebook())
    assert ("s0", "s1") in compared(notebook(SUM), notebook(SUM), released=released)


def test_blank_and_short_texts_are_not_alike():
    assert compared(notebook(), notebook()) == {}
    short = "result = (reward * gamma).sum(0)"
    found = compared(notebook(short), notebook(short))
    assert all(pair.part < 0.5 for pair in found.values())


def test_what_many_have_is_nobodys_own():
    crowd = [notebook(f"{MATRIX}\nx{i} = {i}") for i in range(4)]
    assert similarity.common_from(6) == 3
    found = compared(*crowd, notebook(SUM), notebook(SUM_DISGUISED))
    assert list(found) == [("s4", "s5")]
    assert compared(*crowd[:3]).keys() == {("s0", "s1"), ("s0", "s2"), ("s1", "s2")}
    assert similarity.common_from(200) == 20


def test_written_answers_are_compared_as_they_are_written():
    found = compared(
        notebook(answer=f"Well. {ANSWER}"),
        notebook(answer=ANSWER.upper().replace(" ", "\n")),
        notebook(answer="A baseline makes the variance smaller, and that is all."),
    )
    [(pair, shared)] = ((names, pair.shared) for names, pair in found.items())
    assert pair == ("s0", "s1")
    assert set(shared) == {WRITTEN}
    assert min(shared[WRITTEN].parts) > 0.7
    [(begin, end)] = shared[WRITTEN].slices[0]
    assert f"Well. {ANSWER}"[begin:end] == ANSWER


def test_the_question_in_an_answer_does_not_count():
    released = similarity.released_text(notebook(answer=f"Explain: {ANSWER}"))
    alike = notebook(answer=ANSWER), notebook(answer=ANSWER)
    assert compared(*alike, released=released) == {}


@pytest.mark.parametrize("before", ["", "class ReplayBuffer:\n    capacity = 3\n\n"])
def test_passages_are_whole_lines_of_both(before):
    own = f"{before}start = 1{SUM}end = [2]"
    found = compared(notebook(own), notebook(f"other()\n{SUM_DISGUISED}"))
    left, right = works(notebook(own), notebook(f"other()\n{SUM_DISGUISED}"))
    for work, slices in zip(
        (left, right), found["s0", "s1"].shared[CODE].slices, strict=True
    ):
        text = work.texts[CODE].content
        passage = "\n".join(text[begin:end] for begin, end in slices)
        assert "for " in passage
        assert "return torch.stack" in passage
        assert "start" not in passage
        assert "other" not in passage
        for begin, end in slices:
            assert text[:begin] == "" or text[begin - 1] == "\n"
            assert text[end : end + 1] in ("", "\n")


def test_the_most_alike_come_first_and_those_below_the_threshold_not_at_all():
    half = notebook(SUM, more=MATRIX), notebook(SUM, more="pass\n" * 40)
    found = list(compared(*half, notebook(more=MATRIX)))
    assert found[0] in (("s0", "s1"), ("s0", "s2"))
    parts = [pair.part for pair in compared(*half, notebook(more=MATRIX)).values()]
    assert parts == sorted(parts, reverse=True)
    high = compared(*half, notebook(more=MATRIX), threshold=0.9)
    assert all(pair.part >= 0.9 for pair in high.values())
    with pytest.raises(ConfigError, match="expected 0 to 1"):
        compared(threshold=1.5)


@pytest.mark.parametrize(
    "changes",
    [{"code": "x = 1\n" * 10_000}, {"code": "x" * 501}, {"answer": "a" * 50_001}],
)
def test_endless_texts_are_refused(changes):
    with pytest.raises(SubmissionError, match="Look at it yourself"):
        works(notebook(**changes))


@pytest.mark.parametrize(
    "code",
    [
        "\n'''" * 5_000,
        "(" * 400 + "\n" + ")" * 400,
        "\x00\u202e\ud800",
        "%%bash\nrm",
        "\n".join(["a" * 400] * 100),
    ],
)
def test_code_that_is_none_is_compared_all_the_same(code):
    compared(notebook(code + SUM), notebook(SUM_DISGUISED), notebook(code))


@pytest.mark.slow
def test_results_do_not_depend_on_the_hash_seed(tmp_path):
    script = tmp_path / "compare.py"
    script.write_text(
        "import test_grading_similarity as t\n"
        "found = t.compared(*map(t.notebook, (t.SUM, t.SUM_DISGUISED, t.MATRIX)))\n"
        "print([(k, p.shared) for k, p in found.items()])\n"
    )
    folder = str(Path(__file__).parent)
    printed = {
        subprocess.run(
            [sys.executable, script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert "'s0', 's1'" in printed.pop()


def test_without_copydetect_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "copydetect", None)
    monkeypatch.setitem(sys.modules, "copydetect.utils", None)
    with pytest.raises(ConfigError, match="pip install --no-deps copydetect"):
        compared(notebook(SUM), notebook(SUM))


HOSTILE = (
    "</pre></section><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<style>body{display:none}</style><a href='javascript:alert(3)'>x</a>"
    "{{ 7 * 7 }}{% include '/etc/passwd' %}"
)


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_what_students_wrote_as_text_only():
    code = f'{SUM}\nhostile = """{HOSTILE}"""'
    both = [
        similarity.work(name, notebook(code, f"{ANSWER} {HOSTILE}"))
        for name in (HOSTILE, f"b{HOSTILE}")
    ]
    found = similarity.pairs(both, NO_RELEASE, 0.1)
    html = page("reinforce", found, 2, [(f"c{HOSTILE}", f"refused: {HOSTILE}")])
    elements = Elements(html)
    allowed = "html head meta title style body header h1 i p section h2 ul li b table"
    allowed += " thead tr th tbody td a main h3 div pre mark"
    assert {tag for tag, _ in elements.found} == set(allowed.split())
    assert not any(name.startswith("on") for _, a in elements.found for name in a)
    assert all(a["href"].startswith("#pair-") for t, a in elements.found if t == "a")
    assert elements.text.count(HOSTILE) >= 6
    assert "root:" not in html
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "http" not in html.replace("http-equiv", "")


def test_the_page_puts_the_passages_of_a_cell_side_by_side():
    both = works(notebook(SUM, ANSWER, "x = 1"), notebook(SUM_DISGUISED, ANSWER))
    html = page("reinforce", similarity.pairs(both, NO_RELEASE, 0.1), 2, [])
    assert re.findall(r"<h3>(\w+)</h3>", html) == ["sum", "answer"]  # not `more`
    left, right, *_ = re.findall(r"<pre[^>]*>(.*?)</pre>", html, re.DOTALL)
    for side, line in ((left, "for step in reversed"), (right, "for i in reversed")):
        assert line in re.findall("<mark>(.*?)</mark>", side, re.DOTALL)[0]
    plain = re.sub("</?mark>", "", left).strip()
    assert plain == SUM.strip()
    assert "does not show who wrote them" in html


def test_a_page_without_a_pair_says_so():
    html = page("reinforce", [], 0, [])
    assert "No pair is as alike" in html
    assert "Not compared</h2>" not in html


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    course = tiny.make_course(tmp_path_factory.mktemp("class"))
    (course.assignments / "source" / "tiny" / "tiny.md").write_text("")  # its text
    own = f"{SUM_DISGUISED}\nextra = [reward.mean() - 1, reward.std() / 2]"
    answers = {"ada": (SUM, ANSWER), "bob": (own, ""), "eve": (MATRIX, "")}
    for student, (code, answer) in answers.items():
        tiny.hand_in(course, student, sum=code, answer=answer)
    (course.submitted("tiny", "joe") / "tiny.ipynb").parent.mkdir(parents=True)
    (course.submitted("tiny", "joe") / "tiny.ipynb").write_text("{")
    folder = course.submitted("tiny", "max")
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").symlink_to(course.submitted("tiny", "ada") / "tiny.ipynb")
    tiny.hand_in(course, "zoe", sum="y = 2\n" * 20_000)
    return course


def test_the_command_prints_the_pairs_and_writes_the_page(course, capsys):
    with contextlib.chdir(course.root):
        assert main(["assignments", "similarity", "tiny"]) == 0
    printed = capsys.readouterr().out
    [line] = [line for line in printed.splitlines() if " and " in line and "%" in line]
    assert re.fullmatch(r"\s*\d+% / \d+%\s+ada and bob", line)
    assert "not compared: joe: tiny.ipynb is not valid" in printed
    assert "not compared: max: 'tiny.ipynb' is a link" in printed
    assert "not compared: zoe: its code text has 120" in printed
    assert "3 submissions compared. Pairs" in printed
    assert "20% of a text: 1, shown: 1. Their passages: " in printed
    html = (course.build / "similarity" / "tiny.html").read_text()
    assert "ada and bob" in html
    assert "is a link" in html


def test_the_command_keeps_to_its_options(course, capsys):
    with contextlib.chdir(course.root):
        assert main(["assignments", "similarity", "tiny", "--threshold", ".99"]) == 0
        assert "99% of a text: 0, shown: 0" in capsys.readouterr().out
        assert main(["assignments", "similarity", "tiny", "--top", "0"]) == 2
        assert "expected at least 1" in capsys.readouterr().err
        assert main(["assignments", "similarity", "tiny", "--threshold", "30"]) == 2
        assert "expected 0 to 1" in capsys.readouterr().err
        assert main(["assignments", "similarity", "huge"]) == 2
        assert "no assignment 'huge'" in capsys.readouterr().err
