from pathlib import Path

import nbformat
import pytest

from chula_rl.errors import AssignmentError, MarkerError
from chula_rl.grading import source

PACKAGE = Path(__file__).parents[1] / "chula_rl"
CONTRACT = ("chula_rl.returns:rewards_to_go",)
TEXT = """\
---
kernelspec: {name: other, display_name: Other}
---

+++ {"nbgrader": {"grade": false, "solution": false, "locked": true, "task": false, \
"schema_version": 3, "grade_id": "intro"}}

# Returns

```{code-cell} ipython3
import torch
```

```{code-cell} ipython3
---
nbgrader: {grade: false, solution: true, locked: false, task: false, \
schema_version: 3, grade_id: returns}
---
# include: chula_rl.returns:rewards_to_go
```

```{code-cell} ipython3
---
nbgrader: {grade: true, solution: false, locked: true, task: false, \
schema_version: 3, grade_id: test-returns, points: 2}
---
assert rewards_to_go is not None
### BEGIN HIDDEN TESTS
assert rewards_to_go(torch.ones(2), 1.0)[0] == 2
### END HIDDEN TESTS
```

+++ {"nbgrader": {"grade": true, "solution": true, "locked": false, "task": false, \
"schema_version": 3, "grade_id": "why", "points": 3}}

The
model answer
"""


@pytest.fixture
def build(tmp_path):
    def build(text=TEXT, contract=CONTRACT):
        path = tmp_path / "tiny.md"
        path.write_text(text)
        return source.build_source(path, PACKAGE, contract)

    return build


def test_cells_have_their_grade_ids_and_the_kernel_is_python(build):
    notebook = build()
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert ids == ["intro", "cell-2", "returns", "test-returns", "why"]
    assert notebook.metadata.kernelspec.name == "python3"
    assert "jupytext" not in notebook.metadata


def test_an_include_becomes_the_function_with_its_markers(build):
    lines = build().cells[2].source.split("\n")
    assert lines[0] == "def rewards_to_go(reward: Tensor, gamma: float) -> Tensor:"
    assert lines[-1] == "    ### END SOLUTION"
    text = (PACKAGE / "returns.py").read_text()
    assert "\n".join(lines) in text


def test_two_builds_are_equal_byte_for_byte(build):
    assert nbformat.writes(build()) == nbformat.writes(build())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("### BEGIN HIDDEN", "### BEGIN HIDEN", "resembles a marker"),
        ("### END HIDDEN TESTS", "", "without its END"),
        ("grade_id: test-returns", "grade_id: returns", "not unique: returns"),
        ("grade_id: returns", "grade_id: cell-2", "not unique: cell-2"),
        ("grade_id: returns", "grade_id: the returns", "letters"),
        ("schema_version: 3, grade_id: returns", "grade_id: returns", "keys"),
        ("schema_version: 3", "schema_version: 2", "schema_version 2"),
        (", points: 2", "", "keys"),
        ("points: 2", "points: 0", "expected more than 0"),
        ("points: 2", "points: true", "expected more than 0"),
        ("solution: false, locked: true", "solution: false, locked: false", "flags"),
        ("solution: true, locked: false", "solution: true, locked: true", "flags"),
        ("task: false", "task: true", "task false"),
        ("# include: chula_rl.returns:rewards_to_go", "pass", "no blocks"),
        (":rewards_to_go", ":reward_to_go", "names nothing"),
        ("chula_rl.returns:", "chula_rl.nothing:", "names nothing"),
        ("# include: ", "# Include: ", "resembles an include"),
        ("import torch", "# include: chula_rl.returns:rewards_to_go", "solution cell"),
        ("import torch", "### BEGIN SOLUTION\nx\n### END SOLUTION", "'free' has"),
        ("HIDDEN TESTS", "SOLUTION", "'test' has"),
        ("model answer", "### BEGIN SOLUTION\nx\n### END SOLUTION\n", "'answer' has"),
    ],
)
def test_an_unsound_source_is_refused(build, old, new, message):
    assert old in TEXT
    with pytest.raises(AssignmentError, match=message):
        build(TEXT.replace(old, new))


def test_messages_name_file_and_cell(build):
    text = TEXT.replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST")
    with pytest.raises(MarkerError, match=r"tiny\.md, cell 4 \(test-returns\), line 2"):
        build(text)


def test_a_hidden_test_in_a_solution_cell_is_refused(build):
    include = "# include: chula_rl.returns:rewards_to_go"
    test = "### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS"
    with pytest.raises(MarkerError, match="'solution' has"):
        build(TEXT.replace(include, f"{include}\n{test}"))


def test_a_solution_written_outside_of_the_block_is_refused(build):
    own = (
        "def rewards_to_go(reward, gamma):\n    total = reward.sum()\n"
        "    ### BEGIN SOLUTION\n    return total\n    ### END SOLUTION"
    )
    with pytest.raises(MarkerError, match="body of rewards_to_go"):
        build(TEXT.replace("# include: chula_rl.returns:rewards_to_go", own))


@pytest.mark.parametrize(
    "contract",
    [(), (*CONTRACT, "chula_rl.losses:gaussian_entropy"), CONTRACT * 2],
)
def test_the_contract_is_included_exactly_once(build, contract):
    with pytest.raises(AssignmentError, match="expected each function"):
        build(contract=contract)


def test_an_include_in_two_cells_is_refused(build):
    start = TEXT.index("```{code-cell} ipython3\n---")
    cell = TEXT[start : TEXT.index("```\n", start + 4) + 4]
    again = cell.replace("grade_id: returns", "grade_id: again")
    with pytest.raises(AssignmentError, match="expected each function"):
        build(TEXT.replace(cell, f"{cell}\n{again}"))


def test_of_a_class_the_methods_of_students_are_included():
    text = source.function_source("chula_rl.replay:ReplayBuffer", PACKAGE)
    assert text.startswith("class ReplayBuffer:\n")
    assert text.count("### BEGIN SOLUTION") == text.count("### END SOLUTION") == 4
    assert text.endswith("        ### END SOLUTION")
    assert "def __len__" in text
    assert "state_dict" not in text
