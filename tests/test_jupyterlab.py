"""A student's way through the assignment: the release, in JupyterLab, in Chromium.

The archive is unpacked and its wheel installed with pip into a new environment, whose
other packages are those of the machine, so that nothing is downloaded. A folder named
in ``CHULA_RL_SCREENSHOTS`` gets a picture of each step.
"""

import json
import os
import pwd
import re
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from grading_class import COMMAND
from playwright.sync_api import Browser, Locator, Page, expect

from chula_rl.grading import mistakes, release, sample
from chula_rl.grading.cells import read
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course

pytestmark = pytest.mark.slow

NAME = "reinforce"
TESTS = len(CONTRACT[NAME]) + 1  # one for each function, and the training run
WRONG = ("rewards_to_go", "no_discount")  # in the catalogue of mistakes
ANSWER = "$\\mathbb{E}[b(s_t)\\nabla_\\theta\\log\\pi_\\theta] = 0$, as in the book."
SECONDS = 180  # for one wait, on a busy machine
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
NOTEBOOK = "jupyterapp.shell.currentWidget"
CELLS = f"{NOTEBOOK}.content.model.sharedModel.cells"
HARMLESS = "Could not restore the debugger state"  # of JupyterLab, at a restart


@pytest.fixture(scope="module")
def course(copy_course, tmp_path_factory) -> Course:
    """The instructor's side: a course with an exchange, and the assignment in it."""
    course = Course(copy_course(tmp_path_factory.mktemp("course")))
    (course.root / "exchange").mkdir()
    with (course.assignments / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(course.root / 'exchange')!r}\n")
    release.release(course, NAME)
    instructor(course, "nbgrader", "release_assignment", NAME)
    return course


def instructor(course: Course, *command: str) -> str:
    """Run a command of the instructor's; what it printed."""
    done = subprocess.run(
        [COMMAND.with_name(command[0]), *command[1:]],
        cwd=course.assignments,
        env={
            **os.environ,
            "PYTHONPATH": str(course.root),
            "JUPYTER_CONFIG_DIR": os.devnull,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def home(course, tmp_path_factory) -> Path:
    """A student's folder: the unpacked release, and another one to spoil."""
    home = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(course.archive(NAME)) as archive:
        archive.extractall(home)
        archive.extractall(home / "blank")
    return home


@pytest.fixture(scope="module")
def python(home) -> Path:
    """The interpreter of an environment with the student edition, installed by pip."""
    root = home / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True)
    python = root / "bin" / "python"
    (wheel,) = (home / NAME).glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    # into an environment that has nothing else yet
    subprocess.run([*pip, *options, f"./{wheel.name}"], cwd=wheel.parent, check=True)
    packages = sysconfig.get_path("purelib", "venv", {"base": str(root)})
    # This adds a folder to the path; links to projects in that folder are not heeded.
    Path(packages, "machine.pth").write_text(sysconfig.get_path("purelib"))
    for folder in ("share/jupyter", "etc/jupyter"):
        (root / folder).parent.mkdir(exist_ok=True)
        (root / folder).symlink_to(Path(sys.prefix, folder))
    return python


@pytest.fixture(scope="module")
def lab(course, home, python, tmp_path_factory) -> Iterator[str]:
    """The address of a JupyterLab that knows nothing of this machine's settings."""
    own = tmp_path_factory.mktemp("jupyter")
    news = own / "config" / "lab" / "user-settings" / NEWS
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    (own / "config" / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(course.root / 'exchange')!r}\n"
    )
    folders = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "IPYTHONDIR": own / "ipython",
    }
    environment = {**os.environ, **{name: str(path) for name, path in folders.items()}}
    environment.pop("PYTHONPATH", None)
    command = [
        *(python, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.port=0", "--IdentityProvider.token="),
        f"--ServerApp.root_dir={home}",
        "--LabApp.expose_app_in_browser=True",  # as `jupyterapp`
    ]
    with (own / "log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _address(server, own)
    finally:
        server.terminate()  # it stops its kernels
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # the kernels see it and end
            server.wait()


def _address(server: subprocess.Popen, own: Path) -> str:
    """Wait for the file in which a server says where it listens."""
    started = time.monotonic()
    while time.monotonic() - started < SECONDS and server.poll() is None:
        for file in (own / "runtime").glob("jpserver-*.json"):
            if (text := file.read_text()).endswith("}"):
                return json.loads(text)["url"]
        time.sleep(0.1)
    pytest.fail((own / "log").read_text())


@pytest.fixture
def page(browser: Browser, tmp_path) -> Iterator[Page]:
    """A page that must have had no problem in the end; a picture of it is kept."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(SECONDS * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    page.on(
        "console",
        lambda message: (
            problems.append(f"console: {message.text}")
            if message.type == "error" and HARMLESS not in message.text
            else None
        ),
    )
    yield page
    page.screenshot(path=tmp_path / "end.png")
    assert problems == []
    page.close()


def picture(page: Page, step: str) -> None:
    """Keep a picture of this step, if somebody asked for them."""
    if folder := os.environ.get("CHULA_RL_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{step}.png")


def open_notebook(page: Page, lab: str, folder: str = "") -> None:
    path = f"{folder}{NAME}/{NAME}.ipynb"
    page.goto(f"{lab}lab/workspaces/{folder.strip('/') or 'way'}/tree/{path}")
    page.wait_for_function(
        f"window.jupyterapp && {NOTEBOOK}?.context?.isReady"
        f" && {NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'"
    )
    expect(page.locator(".jp-Cell").first).to_be_visible()


def choose(page: Page, menu: str, item: str) -> None:
    """Choose an item of a menu."""
    page.locator(".lm-MenuBar-item", has_text=menu).click()
    page.locator(".lm-Menu-itemLabel").filter(has_text=item).click()


def restart_and_run_all(page: Page) -> None:
    """As the notebook tells students; up to its end or to the first error."""
    choose(page, "Kernel", "Restart Kernel and Run All Cells")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        f"""() => {{
            const code = {CELLS}.filter((cell) => cell.cell_type === 'code');
            const failed = (cell) =>
                cell.outputs.some((output) => output.output_type === 'error');
            return (code.every((cell) => cell.execution_count) || code.some(failed))
                && {NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle';
        }}"""
    )


def save(page: Page, home: Path, folder: str = ""):
    """Save with the keyboard; the code cells and all cells of the file."""
    page.keyboard.press("Control+s")
    page.wait_for_function(f"!{NOTEBOOK}.context.model.dirty")
    cells = read(home / folder / NAME / f"{NAME}.ipynb").cells
    return [cell for cell in cells if cell.cell_type == "code"], cells


def validate(page: Page) -> tuple[str, Locator]:
    """Press Validate; the sort of the dialog that answers, and the dialog."""
    page.locator(".validate-button").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_be_visible(timeout=SECONDS * 1000)
    (sort,) = re.findall(r"nbgrader-(\w+)Dialog", dialog.get_attribute("class"))
    return sort, dialog


def read_in(dialog: Locator, message: str) -> str:
    """Scroll to the last line of the first error; that line, if it can be seen."""
    error = dialog.locator("pre", has_text="Traceback").first
    line = error.inner_text().rstrip().splitlines()[-1]
    seen = error.evaluate(
        """(error, message) => {
            error.scrollIntoView({ block: 'end' });
            const walker = document.createTreeWalker(error, NodeFilter.SHOW_TEXT);
            const texts = [];
            while (walker.nextNode()) texts.push(walker.currentNode);
            const last = texts.reverse().find((text) => text.data.includes(message));
            const range = document.createRange();
            range.setStart(last, last.data.indexOf(message));
            range.setEnd(last, last.data.indexOf(message) + message.length);
            const { left, right, top, bottom } = range.getBoundingClientRect();
            return [left + 2, right - 2].every((x) =>
                error.contains(document.elementFromPoint(x, (top + bottom) / 2)));
        }""",
        message,
    )
    return line if seen else "it is out of sight"


def ask_kernel(page: Page, expression: str) -> str:
    """The value of an expression in the notebook's kernel, as Python writes it."""
    return page.evaluate(
        f"""async (expression) => {{
            const request = {NOTEBOOK}.sessionContext.session.kernel.requestExecute({{
                code: '', store_history: false, user_expressions: {{ expression }},
            }});
            const reply = await request.done;
            return reply.content.user_expressions.expression.data['text/plain'];
        }}""",
        expression,
    )


def outputs(cells, sort):
    """The outputs of one sort, each with the name of its cell."""
    return [
        (cell.metadata.get("nbgrader", {}).get("grade_id", cell.id), output)
        for cell in cells
        for output in cell.outputs
        if output.output_type == sort
    ]


def edit(page: Page, text: str, typed: str) -> None:
    """Click at the end of the first line of the code cell with a text, and type."""
    line = page.locator(".jp-CodeCell", has_text=text).locator(".cm-line").first
    line.click()
    page.keyboard.press("End")
    page.keyboard.type(typed)
    page.keyboard.press("Escape")


def paste(page: Page, index: int, text: str) -> None:
    """Replace the text of a cell by that of the clipboard."""
    cell = page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
    cell.scroll_into_view_if_needed()
    if (rendered := cell.locator(".jp-RenderedMarkdown")).is_visible():
        rendered.dblclick()
    editor = cell.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    editor.evaluate(
        """(editor, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', text);
            const options = { clipboardData, bubbles: true, cancelable: true };
            editor.dispatchEvent(new ClipboardEvent('paste', options));
        }""",
        text,
    )
    page.keyboard.press("Escape")


def to_write(home: Path) -> dict[str, int]:
    """The places of the cells that students write, by name."""
    return {
        cell.metadata.nbgrader.grade_id: index
        for index, cell in enumerate(read(home / NAME / f"{NAME}.ipynb").cells)
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def test_students_edit_their_cells_and_no_others(page, lab, home):
    released = read(home / "blank" / NAME / f"{NAME}.ipynb").cells
    open_notebook(page, lab, "blank/")
    edit(page, "def rewards_to_go", "  # mine")
    edit(page, "One return for every step", "  # mine")
    page.keyboard.type("dd")  # deletes the cell that is chosen
    _, cells = save(page, home, "blank")
    assert [cell.cell_type for cell in cells] == [cell.cell_type for cell in released]
    edited = {
        cell.id: cell.source
        for cell, before in zip(cells, released, strict=True)
        if cell.source != before.source
    }
    assert list(edited) == ["rewards_to_go"]
    assert edited["rewards_to_go"].split("\n")[0].endswith(":  # mine")


def test_blank_notebook_stops_at_its_first_test_and_does_not_validate(page, lab, home):
    open_notebook(page, lab, "blank/")
    restart_and_run_all(page)
    code, _ = save(page, home, "blank")
    ((cell, error),) = outputs(code, "error")
    assert cell == "test-rewards_to_go"
    assert error.ename == "NotImplementedError"
    sort, dialog = validate(page)
    text = dialog.inner_text()
    assert sort == "Error"
    assert text.count("The following cell failed:") == TESTS + answers(home)
    assert text.count("You did not provide a response.") == answers(home)


def answers(home: Path) -> int:
    """The number of written answers."""
    return len(to_write(home)) - len(CONTRACT[NAME])


def points(home: Path) -> tuple[int, int]:
    """The points of all tests, and those of all exercises."""
    found = [
        cell.metadata.nbgrader
        for cell in read(home / NAME / f"{NAME}.ipynb").cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    tests = sum(cell.points for cell in found if not cell.solution)
    return tests, sum(cell.points for cell in found)


def solution(home: Path, code: dict[str, str], name: str) -> str:
    """What a student writes into a cell."""
    cell = read(home / "blank" / NAME / f"{NAME}.ipynb").cells[to_write(home)[name]]
    return sample.filled(cell.source, code) if cell.cell_type == "code" else ANSWER


def assignment_list(page: Page, which: str) -> Locator:
    """The row of the assignment in one of the lists."""
    return page.locator(f"#{which}_assignments_list > .list_item", has_text=NAME)


def hand_in(page: Page) -> None:
    choose(page, "Nbgrader", "Assignment List")
    assignment_list(page, "fetched").get_by_role("button", name="Submit").click()
    expect(assignment_list(page, "submitted")).to_be_visible()


def fetch_feedback(page: Page) -> Locator:
    """The text of the feedback, as JupyterLab shows it."""
    page.locator("#refresh_assignments_list").click()
    submitted = assignment_list(page, "submitted")
    expect(submitted).to_contain_text("(feedback available to fetch)")
    submitted.get_by_role("button", name="Fetch Feedback").click()
    submitted.get_by_text("(view feedback)").click()
    page.locator(".jp-DirListing-item", has_text=f"{NAME}.html").dblclick()
    return page.frame_locator(".jp-HTMLViewer iframe").locator("body")


def test_the_way_from_the_archive_to_the_feedback(page, lab, python, home, course):
    open_notebook(page, lab)
    picture(page, "01-opened")
    package = ask_kernel(page, "__import__('chula_rl').__file__").strip("'")
    assert Path(package).is_relative_to(python.parents[1])
    assert ask_kernel(page, "__import__('chula_rl').__version__").endswith("+student'")
    spec = "__import__('importlib.util').util.find_spec('chula_rl.grading') is None"
    assert ask_kernel(page, spec) == "True"

    right = sample.solutions(course, NAME)
    wrong = next(v for v in mistakes.load(NAME) if (v.function, v.name) == WRONG)
    for name, index in to_write(home).items():
        code = right | {wrong.function: wrong.source}
        paste(page, index, solution(home, code, name))
    sort, dialog = validate(page)
    assert sort == "Error"
    assert re.match(
        f"AssertionError: .*{wrong.message}", read_in(dialog, wrong.message)
    )
    picture(page, "02-a-mistake-is-named")
    dialog.get_by_role("button", name="Ok").click()

    paste(page, to_write(home)[WRONG[0]], solution(home, right, WRONG[0]))
    sort, dialog = validate(page)
    picture(page, "03-it-validates")
    assert sort == "Success"
    assert "Success! Your notebook passes all the tests." in dialog.inner_text()
    dialog.get_by_role("button", name="Ok").click()

    restart_and_run_all(page)
    picture(page, "04-all-cells-run")
    code, _ = save(page, home)
    assert outputs(code, "error") == []
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    printed = {output.name for _, output in outputs(code, "stream")}
    assert printed == {"stdout"}, "a pink box appears"
    assert any("image/png" in out.data for _, out in outputs(code, "display_data"))

    hand_in(page)
    picture(page, "05-handed-in")
    student = pwd.getpwuid(os.getuid()).pw_name
    instructor(course, "nbgrader", "collect", NAME)
    assert f"{student}: graded" in instructor(course, "chula-rl", "grade", NAME)
    instructor(course, "nbgrader", "release_feedback", NAME)

    feedback = fetch_feedback(page)
    tests, total = points(home)
    expect(feedback.locator(".total")).to_have_text(f"{tests} of {total} points")
    expect(feedback.locator(".summary tr.passed")).to_have_count(TESTS)
    expect(feedback.locator(".summary tr.manual")).to_have_count(answers(home))
    picture(page, "06-feedback")
