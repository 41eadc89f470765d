import ast
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import nbformat
import pytest

from chula_rl.errors import AssignmentError, LeakError
from chula_rl.grading import cells, leaks, release, secret, source
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course

ROOT = Path(__file__).parents[1]
NAME = "reinforce"
SECRET_LINE = "following = reward[t] + gamma * following"


@pytest.fixture(scope="module")
def course(copy_course, tmp_path_factory):
    course = Course(copy_course(tmp_path_factory.mktemp("course")))
    release.release(course, NAME)
    return course


@pytest.fixture(scope="module")
def secrets(course):
    path = course.source(NAME).with_suffix(".ipynb")
    return secret.collect(course.package, cells.read(path))


@pytest.fixture
def released(course, tmp_path):
    """A copy of the release, to plant leaks in."""
    shutil.copytree(course.released(NAME), tmp_path / NAME)
    shutil.copy(course.archive(NAME), tmp_path / f"{NAME}.zip")
    return tmp_path


def gate(released, secrets):
    leaks.check_release(released / NAME, released / f"{NAME}.zip", NAME, secrets)


def edit_notebook(released, change):
    path = released / NAME / f"{NAME}.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def code_cell(notebook):
    return next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_the_release_has_notebook_wheel_and_instructions(course):
    files = {path.name: path for path in course.released(NAME).iterdir()}
    wheel = next(name for name in files if name.endswith(".whl"))
    assert set(files) == {f"{NAME}.ipynb", "README.md", wheel}
    assert wheel in files["README.md"].read_text()
    with zipfile.ZipFile(course.archive(NAME)) as archive:
        for name, path in files.items():
            assert archive.read(f"{NAME}/{name}") == path.read_bytes()
        assert len(archive.namelist()) == len(files)


def test_the_released_notebook_has_blanks_tests_and_no_answers(course):
    path = course.released(NAME) / f"{NAME}.ipynb"
    notebook = cells.read(path)
    nbformat.validate(notebook)
    kinds = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    written = [
        cell.source
        for cell, data in zip(notebook.cells, kinds, strict=True)
        if data.get("solution")
    ]
    code, text = written[: len(CONTRACT[NAME])], written[len(CONTRACT[NAME]) :]
    assert all("# YOUR CODE HERE\n    raise NotImplementedError()" in c for c in code)
    assert text == ["YOUR ANSWER HERE"] * len(text)
    assert all(cell.get("outputs", []) == [] for cell in notebook.cells)
    assert "SOLUTION" not in path.read_text()
    assert "HIDDEN TESTS" not in path.read_text()


def test_no_statement_of_a_solution_is_released(course):
    """Independent of the gate: by syntax tree instead of by text."""
    released = "\n".join(
        ast.unparse(ast.parse(cell.source))
        for cell in cells.read(course.released(NAME) / f"{NAME}.ipynb").cells
        if cell.cell_type == "code" and not cell.source.startswith("%")
    )
    wheel = next(course.released(NAME).glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        released += "\n".join(
            ast.unparse(ast.parse(archive.read(name)))
            for name in archive.namelist()
            if name.endswith(".py")
        )
    for target in CONTRACT[NAME]:
        function = ast.parse(source.function_source(target, course.package)).body[0]
        statements = [ast.unparse(statement) for statement in function.body[1:]]
        telling = [statement for statement in statements if len(statement) > 40]
        shown = [statement for statement in telling if statement in released]
        assert len(shown) < len(telling) / 2, target


def test_releasing_again_gives_the_same_bytes(course):
    first = course.archive(NAME).read_bytes()
    release.release(course, NAME)
    assert course.archive(NAME).read_bytes() == first


def test_the_untouched_release_passes(released, secrets):
    gate(released, secrets)


def test_the_wheel_in_the_release_raises_in_each_exercise(course, tmp_path):
    with zipfile.ZipFile(next(course.released(NAME).glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    text = (tmp_path / "chula_rl" / "returns.py").read_text()
    assert 'raise NotImplementedError("rewards_to_go: ' in text
    assert SECRET_LINE not in text


PLANTS = {
    "in a code cell": lambda nb: code_cell(nb).update(source=[f"  {SECRET_LINE}\n"]),
    "with other spaces": lambda nb: code_cell(nb).update(
        source="following=reward[t]  + gamma*following"
    ),
    "split over two strings": lambda nb: code_cell(nb).update(
        source=[SECRET_LINE[:20], SECRET_LINE[20:]]
    ),
    "in a text cell": lambda nb: nb["cells"][0].update(source=SECRET_LINE),
    "in a cell's metadata": lambda nb: code_cell(nb)["metadata"].update(
        {"tags": [SECRET_LINE]}
    ),
    "in a key": lambda nb: nb["metadata"].update({SECRET_LINE: 1}),
    "in an attachment": lambda nb: nb["cells"][0].update(
        attachments={"a.txt": {"text/plain": SECRET_LINE}}
    ),
    "in an output": lambda nb: code_cell(nb)["outputs"].append(
        {"output_type": "stream", "name": "stdout", "text": [SECRET_LINE]}
    ),
    "in a picture": lambda nb: code_cell(nb)["outputs"].append(
        {"output_type": "display_data", "data": {"image/png": "iVBOR"}, "metadata": {}}
    ),
    "a hidden test": lambda nb: code_cell(nb).update(source="### BEGIN HIDDEN TESTS"),
    "an include": lambda nb: code_cell(nb).update(
        source="# include: chula_rl.returns:rewards_to_go"
    ),
    "an include of a case": lambda nb: code_cell(nb).update(
        source="# include: gallery:case_a"
    ),
    "in other words": lambda nb: code_cell(nb).update(
        source="def rewards_to_go(r, g):\n    return r if len(r) < 2 else ..."
    ),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_leak_planted_in_the_notebook_is_found(released, secrets, plant):
    edit_notebook(released, plant)
    with pytest.raises(LeakError, match=rf"{NAME}\.ipynb"):
        gate(released, secrets)


@pytest.mark.parametrize("metadata", [{SECRET_LINE: 1}, {"note": SECRET_LINE}])
def test_a_leak_behind_escapes_of_json_is_found(released, secrets, metadata):
    edit_notebook(released, lambda notebook: notebook["metadata"].update(metadata))
    path = released / NAME / f"{NAME}.ipynb"
    text = path.read_text()
    path.write_text(text.replace(SECRET_LINE, "\\u0066" + SECRET_LINE[1:]))
    with pytest.raises(LeakError, match=r"\.ipynb shows a line of the SOLUTION"):
        gate(released, secrets)


def test_every_line_of_every_hidden_test_is_searched_for(released, secrets):
    hidden = [text for text, origin in secrets.texts.items() if "HIDDEN" in origin]
    assert len(hidden) > 5 * len(CONTRACT[NAME])
    for text in hidden[:: len(hidden) // 10]:
        (released / NAME / "README.md").write_text(f"so:\n{text}\n")
        with pytest.raises(LeakError, match="HIDDEN TESTS in"):
            gate(released, secrets)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
def test_text_in_another_encoding_is_refused(released, secrets, encoding):
    (released / NAME / "README.md").write_bytes(SECRET_LINE.encode(encoding))
    with pytest.raises(LeakError, match="cannot be searched"):
        gate(released, secrets)


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "gradebook.db", "reinforce.md", "solution.ipynb", ".cache", "a/b.md"],
)
def test_an_unexpected_file_is_refused(released, secrets, name):
    path = released / NAME / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("nothing")
    with pytest.raises(LeakError, match="not a file that a release may have"):
        gate(released, secrets)


def test_a_link_is_refused(released, secrets):
    (released / NAME / "README.md").unlink()
    (released / NAME / "README.md").symlink_to(ROOT / "pyproject.toml")
    with pytest.raises(LeakError, match="is a link"):
        gate(released, secrets)


def rewrite(data, change):
    """A zip archive with changed members."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def append(name, text):
    def change(members):
        member = next((key for key in members if key.endswith(name)), name)
        members[member] = members.get(member, b"") + text.encode()

    return change


WHEEL_PLANTS = {
    "in a module": append("chula_rl/types.py", f"\n# {SECRET_LINE}\n"),
    "a function with a body": append(
        "chula_rl/types.py", "\ndef rewards_to_go(r, g):\n    return r.cumsum(0)\n"
    ),
    "no Python": append("chula_rl/types.py", "\ndef ("),
    "compiled": append("chula_rl/__pycache__/returns.cpython-311.pyc", "x"),
    "the grader": append("chula_rl/grading/compare.py", "x = 1"),
    "a test": append("tests/test_returns.py", "x = 1"),
    "in the metadata": append("METADATA", f"\n{SECRET_LINE}"),
}


def test_a_given_function_has_a_body_in_the_notebook_and_nowhere_else(
    released, secrets, monkeypatch
):
    text = "def rewards_to_go(r, g):\n    return r.cumsum(0)\n"
    edit_notebook(released, lambda nb: code_cell(nb).update(source=text))
    with pytest.raises(LeakError, match="rewards_to_go has a body"):
        gate(released, secrets)
    monkeypatch.setitem(leaks.GIVEN, NAME, ("rewards_to_go",))
    gate(released, secrets)
    edit_notebook(released, lambda nb: code_cell(nb).update(source=[SECRET_LINE]))
    with pytest.raises(LeakError, match="shows a line"):
        gate(released, secrets)
    edit_notebook(released, lambda nb: code_cell(nb).update(source=text))
    wheel = next((released / NAME).glob("*.whl"))
    plant = WHEEL_PLANTS["a function with a body"]
    wheel.write_bytes(rewrite(wheel.read_bytes(), plant))
    with pytest.raises(LeakError, match="rewards_to_go has a body"):
        gate(released, secrets)


@pytest.mark.parametrize("plant", WHEEL_PLANTS.values(), ids=WHEEL_PLANTS)
def test_a_leak_planted_in_the_wheel_is_found(released, secrets, plant):
    wheel = next((released / NAME).glob("*.whl"))
    wheel.write_bytes(rewrite(wheel.read_bytes(), plant))
    with pytest.raises(LeakError, match="student-py3"):
        gate(released, secrets)


def test_a_leak_planted_in_the_wheel_inside_the_archive_is_found(released, secrets):
    def plant(members):
        name = next(key for key in members if key.endswith(".whl"))
        members[name] = rewrite(members[name], WHEEL_PLANTS["in a module"])

    archive = released / f"{NAME}.zip"
    archive.write_bytes(rewrite(archive.read_bytes(), plant))
    with pytest.raises(LeakError, match=r"\.zip!.*\.whl!chula_rl/types\.py shows"):
        gate(released, secrets)


def test_a_leak_in_the_comment_of_an_archive_is_found(released, secrets):
    with zipfile.ZipFile(released / f"{NAME}.zip", "a") as archive:
        archive.comment = SECRET_LINE.encode()
    with pytest.raises(LeakError, match=r"\.zip shows a line"):
        gate(released, secrets)


@pytest.mark.parametrize("name", ["other/README.md", f"{NAME}/x.pyc", "README.md"])
def test_an_unexpected_file_in_the_archive_is_refused(released, secrets, name):
    with zipfile.ZipFile(released / f"{NAME}.zip", "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(LeakError, match="not a file that a release may have"):
        gate(released, secrets)


def test_a_broken_archive_is_refused(released, secrets):
    path = released / f"{NAME}.zip"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(LeakError, match="cannot be read"):
        gate(released, secrets)


def test_three_public_lines_in_a_row_are_a_leak(tmp_path):
    """Each line stands in a docstring somewhere; together they are the solution."""
    package = tmp_path / "chula_rl"
    package.mkdir()
    lines = ["first = reward[0]", "second = reward[1]", "third = reward[2]"]
    body = "\n".join(
        f"    {line}" for line in [*lines, "return first + second + third"]
    )
    (package / "m.py").write_text(
        f'"""{lines[0]}, {lines[1]}; {lines[2]}"""\n\n\ndef f(reward):\n'
        f"    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION\n"
    )
    secrets = secret.collect(package, nbformat.v4.new_notebook())
    origins = set(secrets.texts)
    assert secret.squeeze(lines[0]) not in origins
    assert secret.squeeze("\n".join(lines)) in origins


def test_a_solution_that_is_public_as_a_whole_is_refused(tmp_path):
    package = tmp_path / "chula_rl"
    package.mkdir()
    (package / "m.py").write_text(
        '"""return reward.sum()"""\n\n\ndef f(reward):\n'
        "    ### BEGIN SOLUTION\n    return reward.sum()\n    ### END SOLUTION\n"
    )
    with pytest.raises(LeakError, match="also stands in a public part"):
        secret.collect(package, nbformat.v4.new_notebook())


def test_after_a_leak_nothing_is_left_to_hand_out(copy_course, tmp_path):
    course = Course(copy_course(tmp_path))
    readme = course.assignments / "student_readme.md"
    readme.write_text(readme.read_text() + f"\n{SECRET_LINE}\n")
    with pytest.raises(LeakError, match=r"README\.md shows a line of the SOLUTION"):
        release.release(course, NAME)
    assert not course.released(NAME).exists()
    assert not course.archive(NAME).exists()


def test_a_misspelt_marker_stops_the_release(copy_course, tmp_path):
    course = Course(copy_course(tmp_path))
    path = course.source(NAME)
    path.write_text(path.read_text().replace("BEGIN HIDDEN TESTS", "BEGIN HIDEN TESTS"))
    with pytest.raises(AssignmentError, match="resembles a marker"):
        release.release(course, NAME)
    assert not course.released(NAME).exists()


def test_an_unknown_assignment_names_those_that_there_are(course):
    with pytest.raises(AssignmentError, match=r"no assignment 'a3c'.*reinforce"):
        release.release(course, "a3c")


@pytest.mark.slow
def test_stock_generate_assignment_gives_the_same_notebook(course):
    path = course.released(NAME) / f"{NAME}.ipynb"
    ours = path.read_bytes()
    subprocess.run(
        ["nbgrader", "generate_assignment", NAME, "--force"],
        cwd=course.assignments,
        check=True,
        capture_output=True,
    )
    assert path.read_bytes() == ours
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    release.release(course, NAME)


def test_a_data_file_other_than_the_references_is_refused(secrets):
    """The weights in the edition are the reference's own bytes, or nothing goes out."""
    name, data = next(iter(secrets.data.items()))
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(name, data[:-1] + bytes([data[-1] ^ 1]))
    member = f"{NAME}/chula_rl-0.1.0+student-py3-none-any.whl"
    with pytest.raises(LeakError, match="not a file of the edition"):
        leaks._check_member(member, wheel.getvalue(), "wheel", NAME, secrets)
