"""Whatever a student wrote or showed, the pages about it run, load and tell nothing."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import nbformat
import nbgrader
import pytest
from hostile_html import ELSEWHERE, Elements, hostile_cells, own, wrong
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader.base import BaseHandler
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from traitlets.config import Config

from chula_rl.grading.course import Course
from chula_rl.grading.feedback import HideHiddenTests

FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
NAME = "reinforce"
CELL = re.compile(r"id=cell-id=cell-\d+")
STUDENT = "<img src=x onerror=pwned()>"
MESSAGE = "The sign is wrong: <b>minus</b>, not plus."
TEST = """assert f(1) == 1
### BEGIN HIDDEN TESTS
assert f(SECRET) == 2
### END HIDDEN TESTS"""
REFEREE = new_output(
    "error",
    ename="AssertionError",
    evalue=MESSAGE,
    traceback=[f"AssertionError: {MESSAGE}"],
)


def graded_cells(answer):
    return [
        new_markdown_cell("# Given text", metadata=own("text")),
        new_code_cell("def f(x): ...", metadata=own("f", solution=True, locked=False)),
        new_code_cell(
            TEST,
            metadata=own("test-f", grade=True, points=2),
            outputs=[REFEREE, new_output("stream", text="f was called with SECRET")],
        ),
        new_code_cell("g()", metadata=own("test-g", grade=True, points=3)),
        new_markdown_cell(
            answer,
            metadata=own("answer", grade=True, solution=True, locked=False, points=5),
        ),
    ]


def notebook(cells, hostile):
    metadata = {"title": "</title><script>pwned()</script>"}
    metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {"a": "</script>"}}
    }
    metadata["language_info"] = {"name": "html", "pygments_lexer": "html"}
    return new_notebook(cells=cells, metadata=metadata if hostile else {})


def grade(root, student, cells, hostile):
    """Put a graded notebook in the gradebook and in autograded/."""
    with Course(root).nbgrader().gradebook as gradebook:
        if NAME not in [assignment.name for assignment in gradebook.assignments]:
            gradebook.add_assignment(NAME)
            gradebook.add_notebook(NAME, NAME)
            gradebook.add_solution_cell("f", NAME, NAME)
            for cell, points in (("test-f", 2), ("test-g", 3), ("answer", 5)):
                kind = {"max_score": points, "cell_type": "code"}
                gradebook.add_grade_cell(cell, NAME, NAME, **kind)
            gradebook.add_solution_cell("answer", NAME, NAME)
        names = {
            "first_name": "<script>pwned()</script>",
            "last_name": '"><svg onload=x>',
        }
        gradebook.add_student(student, **(names if hostile else {}))
        submission = gradebook.add_submission(NAME, student).notebooks[0]
        for one in submission.grades:
            one.auto_score = {"test-f": 0, "test-g": 3}.get(one.name)
            one.needs_manual_grade = one.name == "answer"
        comment = next(c for c in submission.comments if c.name == "f")
        comment.manual_comment = "*Well* done. <script>pwned()</script>"
        gradebook.db.commit()
    folder = root / "assignments" / "autograded" / student / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook(cells, hostile), folder / f"{NAME}.ipynb")
    return folder / f"{NAME}.ipynb"


@pytest.fixture(scope="module")
def course(tmp_path_factory, copy_course):
    root = copy_course(tmp_path_factory.mktemp("course"))
    grade(root, STUDENT, graded_cells("mine") + list(hostile_cells()), True)
    grade(root, "honest", graded_cells("mine"), False)
    return root


@pytest.fixture(scope="module")
def feedback(course):
    """The pages that ``nbgrader generate_feedback`` writes, by student."""
    pages = {}
    for student in (STUDENT, "honest"):
        result = Course(course).nbgrader().generate_feedback(NAME, student)
        assert result["success"], result
        page = course / "assignments" / "feedback" / student / NAME / f"{NAME}.html"
        pages[student] = page.read_text("utf-8")
    return pages


def formgrader_page(course, student, exporter):
    """What ``SubmissionHandler`` of formgrader sends."""
    names = {"first_name": "<script>pwned()</script>", "last_name": '"><svg onload=x>'}
    folder = f"autograded/{student}/{NAME}"
    resources = {
        "assignment_id": NAME,
        "notebook_id": NAME,
        "submission_id": "1",
        "index": 0,
        "total": 1,
        "base_url": "",
        "student": student,
        "notebook_path": f"{folder}/{NAME}.ipynb",
        **(names if student == STUDENT else {"first_name": None, "last_name": None}),
    }
    path = course / "assignments" / folder / f"{NAME}.ipynb"
    return exporter.from_filename(str(path), resources=resources)[0]


@pytest.fixture(scope="module")
def formgrader(course):
    """The pages of a formgrader started in the course's folder, by student."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course / "assignments")
        extension = FormgradeExtension()
        extension.initialize([])
        exporter = HTMLExporter(
            config=extension.config
        )  # as init_tornado_settings does
        return {
            student: formgrader_page(course, student, exporter)
            for student in (STUDENT, "honest")
        }


def added(pages):
    """The elements that are in the hostile page and not in the honest one."""
    hostile, honest = (Counter(Elements(pages[s]).found) for s in (STUDENT, "honest"))
    for tag, attributes in (hostile - honest).elements():
        # The exporter numbers the cells.
        yield tag, tuple(a for a in attributes if not CELL.fullmatch("=".join(a)))


@pytest.mark.parametrize("page", ["feedback", "formgrader"])
def test_nothing_of_a_student_is_active(page, request):
    assert not list(wrong(added(request.getfixturevalue(page))))


def test_the_check_finds_what_stock_nbgrader_lets_through(course):
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [str(FORMGRADER / "templates")]
    config.HTMLExporter.sanitize_html = True
    exporter = HTMLExporter(config=config)
    found = "\n".join(
        wrong(
            added(
                {s: formgrader_page(course, s, exporter) for s in (STUDENT, "honest")}
            )
        )
    )
    for what in (
        "<script>",
        "onerror=",
        "<iframe>",
        "href=javascript",
        "<svg>",
        "loads",
    ):
        assert what in found


def test_the_feedback_has_no_script_and_a_policy_against_any(feedback):
    for page in feedback.values():
        elements = Elements(page).found
        policy = dict(elements[3][1])
        assert policy["http-equiv"] == "Content-Security-Policy"
        assert "default-src 'none'" in policy["content"]
        assert "script-src" not in policy["content"]
        assert not [tag for tag, _ in elements if tag in ("script", "link", "iframe")]
        assert not re.search(r"url\(|@import|cdn", page.split("</style>")[0])


def test_formgrader_runs_its_own_scripts_and_no_others(formgrader):
    scripts = [
        attributes
        for tag, attributes in Elements(formgrader[STUDENT]).found
        if tag == "script" and dict(attributes).get("src")
    ]
    assert len(scripts) >= 10
    for attributes in scripts:
        assert dict(attributes)["src"].startswith("/formgrader/static/")
    for name in ("MathJax", "cdnjs", "evil.test"):
        assert name not in " ".join(str(s) for s in scripts)


def test_formgrader_opened_for_the_course_later_is_as_safe(
    course, formgrader, monkeypatch, tmp_path
):
    # As FormgraderHandler does for ?path=, in a server started in another folder.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(BaseHandler, "exporter", None)
    extension = FormgradeExtension()
    extension.load_cwd_config = False
    extension.config = Config()
    extension.initialize([], root=str(course / "assignments"))
    handler = SimpleNamespace(settings={"nbgrader_formgrader": extension})
    exporter = BaseHandler.exporter.fget(handler)
    assert formgrader_page(course, STUDENT, exporter) == formgrader[STUDENT]


def serve(page, answers):
    """Answer a browser's requests; anything but the pages and scripts is recorded."""
    asked = []

    def answer(route):
        path = route.request.url.removeprefix("http://grader.test/")
        static = FORMGRADER / "static" / path.removeprefix("formgrader/static/")
        if path in answers:
            route.fulfill(body=answers[path], content_type="text/html; charset=utf-8")
        elif path.startswith("formgrader/static/") and static.is_file():
            route.fulfill(path=static)
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    return asked


EVENTS = """() => {
    for (const element of document.body.querySelectorAll("*")) {
        for (const name of ["mouseover", "focus", "toggle", "error", "load"])
            element.dispatchEvent(new Event(name));
        if (element.matches("a[href^='#'], summary, button:not(.btn)")) element.click();
    }
}"""


def visit(browser, html, probe="", events=EVENTS):
    """What a page does in a browser: calls of pwned, requests, and a probe's result."""
    page = browser.new_page()
    calls = []
    page.expose_function("pwned", lambda: calls.append("pwned"))
    page.on("dialog", lambda dialog: (calls.append("dialog"), dialog.dismiss()))
    asked = serve(page, {"formgrader/submissions/1/": html})
    page.goto("http://grader.test/formgrader/submissions/1/")
    if events:
        page.evaluate(events)
    page.wait_for_timeout(200)
    result = page.evaluate(probe) if probe else None
    page.close()
    return calls, asked, result


def without_policy(page):
    return re.sub(r'<meta [^>]*http-equiv="Content-Security-Policy"[^>]*>', "", page)


@pytest.mark.slow
def test_a_browser_runs_and_loads_nothing_of_the_feedback(browser, feedback):
    page = without_policy(feedback[STUDENT])
    assert page != feedback[STUDENT]
    text = "document.body.innerText"
    assert visit(browser, page, text)[:2] == ([], [])
    calls, asked, text = visit(browser, feedback[STUDENT], text)
    assert (calls, asked) == ([], [])
    assert "<script>pwned()</script>" in text  # what was text is shown as text
    assert STUDENT in text


@pytest.mark.slow
def test_a_browser_runs_and_loads_nothing_of_a_student_in_formgrader(
    browser, formgrader
):
    for page in (formgrader[STUDENT], without_policy(formgrader[STUDENT])):
        scripts = "typeof jQuery + ' ' + typeof submission_id"
        calls, asked, kinds = visit(browser, page, scripts)
        assert calls == []
        assert kinds == "function string"  # formgrader's own scripts did run
        others = [url for url in asked if not url.startswith("http://grader.test/form")]
        assert others == []
        assert not [url for url in asked if "evil" in url]


@pytest.mark.slow
def test_the_browser_shows_stock_nbgrader_to_be_open(browser, course):
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [str(FORMGRADER / "templates")]
    page = formgrader_page(course, STUDENT, HTMLExporter(config=config))
    calls, asked, _ = visit(browser, page, events="")  # it goes elsewhere
    assert calls
    assert [url for url in asked if "evil.test" in url]


@pytest.mark.slow
def test_the_policy_alone_stops_a_script_in_the_feedback(browser, feedback):
    script = "<script>pwned()</script><img src=x onerror=pwned()><svg onload=pwned()>"
    script += f"<img src={ELSEWHERE}>"
    page = feedback["honest"].replace("</main>", script + "</main>")
    assert visit(browser, page)[:2] == ([], [])
    calls, asked, _ = visit(browser, without_policy(page))
    assert calls
    assert asked


def test_points_and_messages_are_in_the_table_on_top(feedback):
    page = feedback["honest"]
    rows = re.findall(r"<tr class=\"(\w+)\">(.*?)</tr>", page, re.S)
    cells = [
        (kind, re.findall(r"<td[^>]*>(?:<a[^>]*>)?(.*?)(?:</a>)?</td>", row, re.S))
        for kind, row in rows
    ]
    escaped = MESSAGE.replace("<", "&lt;").replace(">", "&gt;")
    assert cells == [
        ("failed", ["f", "0 / 2", escaped]),
        ("passed", ["g", "3 / 3", "All tests passed"]),
        ("manual", ["answer", "0 / 5", "Not marked yet"]),
    ]
    assert page.index("</table>") < page.index("Given text")
    assert "<b>3</b> of 10 points" in page
    assert "<em>Well</em> done." in page
    for anchor in re.findall(r'<a href="#([^"]+)">', page):
        assert f'id="{anchor}"' in page


def test_the_feedback_shows_no_hidden_test_and_no_output_of_one(feedback):
    for page in feedback.values():
        text = "".join(Elements(page).text)
        assert "assert f(1) == 1" in text
        assert MESSAGE in text
        assert "SECRET" not in text
        assert "HIDDEN" not in text


def hidden(source, outputs, **kind):
    metadata = own("test-f", grade=True, points=2, **kind)
    cells = [new_code_cell(source, metadata=metadata, outputs=outputs)]
    shown, _ = HideHiddenTests().preprocess(new_notebook(cells=cells), {})
    return shown.cells[0]


def test_a_traceback_is_cut_to_its_message():
    frames = ["Traceback", "  File cell, line 3\n    assert f(SECRET) == 2", "SECRET"]
    error = {"ename": "AssertionError", "evalue": "wrong " * 1000, "traceback": frames}
    outputs = [
        new_output("error", **error),
        new_output("stream", text="SECRET"),
        new_output("execute_result", data={"text/plain": "SECRET"}),
        new_output("display_data", data={"text/html": "SECRET"}),
    ]
    cell = hidden(TEST, outputs)
    assert "SECRET" not in json.dumps(cell)
    assert [len(o.traceback) for o in cell.outputs] == [1]
    assert cell.outputs[0].traceback[0].startswith("AssertionError: wrong wrong")
    assert len(cell.outputs[0].traceback[0]) < 2100


def test_the_message_of_partial_credit_stays_and_no_other_stream():
    message = new_output("stream", text="Right but for T = 1.\n")
    points = new_output("execute_result", data={"text/plain": "1.0"})
    assert hidden(TEST, [message, points]).outputs == [message]
    assert hidden(TEST, [message]).outputs == []
    assert hidden(TEST, [message, message, points]).outputs == []


@pytest.mark.parametrize(
    "source",
    [
        TEST.replace("### END HIDDEN TESTS", ""),
        TEST.replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS"),
        TEST.replace("### END", "    ### END"),
    ],
)
def test_if_the_markers_are_broken_nothing_of_the_cell_is_shown(source):
    assert hidden(source, []).source == "# The tests of this cell are not shown."


def test_code_that_is_marked_by_hand_stays_as_it_was_written():
    cell = hidden("### my own heading\nx = 1", [REFEREE], solution=True)
    assert cell.source == "### my own heading\nx = 1"
    assert cell.outputs == [REFEREE]


def test_what_the_grader_says_of_a_submission_is_on_top(course):
    path = grade(course, "late", graded_cells("mine"), False)
    graded = nbformat.read(path, 4)
    graded.metadata["chula_rl"] = {
        "status": "timed out",
        "reason": "Cell 3 took more than <b>30</b> seconds.",
        "notes": ["A deleted test was put back.", 7],
    }
    nbformat.write(graded, path)
    assert Course(course).nbgrader().generate_feedback(NAME, "late")["success"]
    page = course / "assignments" / "feedback" / "late" / NAME / f"{NAME}.html"
    text = "".join(Elements(page.read_text("utf-8").split("<main>")[0]).text)
    assert "Timed out. Cell 3 took more than <b>30</b> seconds." in text
    assert "A deleted test was put back." in text
    shutil.rmtree(path.parent)
