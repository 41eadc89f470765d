"""A student's way through the assignment: the release, in JupyterLab, in Chromium.

The archive is unpacked, the kernel imports the wheel that is in it, and what JupyterLab
saved is read from the file.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chula_rl.grading import release, sample
from chula_rl.grading.cells import read
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course

pytestmark = pytest.mark.slow

NAME = "reinforce"
TESTS = len(CONTRACT[NAME]) + 1  # one for each function, and the training run
SECONDS = 90  # for one wait, on a busy machine
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
NOTEBOOK = "jupyterapp.shell.currentWidget"
CELLS = f"{NOTEBOOK}.content.model.sharedModel.cells"
HARMLESS = "Could not restore the debugger state"  # of JupyterLab, at a restart


@pytest.fixture(scope="module")
def students(copy_course, tmp_path_factory) -> Path:
    """Two unpacked releases: ``blank``, and ``solved`` with the reference pasted in."""
    course = Course(copy_course(tmp_path_factory.mktemp("course")))
    folder = tmp_path_factory.mktemp("students")
    with zipfile.ZipFile(release.release(course, NAME)) as archive:
        archive.extractall(folder / "blank")
        archive.extractall(folder / "solved")
    sample.make_sample_class(course)
    solved = course.submitted(NAME, "sample-01-correct") / f"{NAME}.ipynb"
    shutil.copy(solved, folder / "solved" / NAME)
    return folder


@pytest.fixture(scope="module")
def lab(students, tmp_path_factory) -> Iterator[str]:
    """The address of a JupyterLab that knows nothing of this machine's settings."""
    home = tmp_path_factory.mktemp("home")
    news = home / "config" / "lab" / "user-settings" / NEWS
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    (wheel,) = (students / "blank" / NAME).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home / "edition")
    folders = {
        "PYTHONPATH": home / "edition",  # before the installed package
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.port=0", "--IdentityProvider.token="),
        f"--ServerApp.root_dir={students}",
        "--LabApp.expose_app_in_browser=True",  # as `jupyterapp`
    ]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=students,
            env={**os.environ, **{name: str(path) for name, path in folders.items()}},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _address(server, home)
    finally:
        server.terminate()  # it stops its kernels
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # the kernels see it and end
            server.wait()


def _address(server: subprocess.Popen, home: Path) -> str:
    """Wait for the file in which a server says where it listens."""
    file = home / "runtime" / f"jpserver-{server.pid}.json"
    started = time.monotonic()
    while time.monotonic() - started < SECONDS and server.poll() is None:
        if file.exists() and (text := file.read_text()).endswith("}"):
            return json.loads(text)["url"]
        time.sleep(0.1)
    pytest.fail((home / "log").read_text())


@pytest.fixture
def page(browser: Browser, tmp_path) -> Iterator[Page]:
    """A page that must have had no problem in the end; a picture of it is kept."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
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


def open_notebook(page: Page, lab: str, student: str) -> None:
    path = f"{student}/{NAME}/{NAME}.ipynb"
    page.goto(f"{lab}lab/workspaces/{student}/tree/{path}")
    page.wait_for_function(
        f"window.jupyterapp && {NOTEBOOK}?.context?.isReady"
        f" && {NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'"
    )
    expect(page.locator(".jp-Cell").first).to_be_visible()


def restart_and_run_all(page: Page) -> None:
    """As the notebook tells students; up to its end or to the first error."""
    page.locator(".lm-MenuBar-item", has_text="Kernel").click()
    run = page.locator(".lm-Menu-itemLabel")
    run.filter(has_text="Restart Kernel and Run All Cells").click()
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


def save(page: Page, students: Path, student: str):
    """Save with the keyboard; the code cells and all cells of the file."""
    page.keyboard.press("Control+s")
    page.wait_for_function(f"!{NOTEBOOK}.context.model.dirty")
    cells = read(students / student / NAME / f"{NAME}.ipynb").cells
    return [cell for cell in cells if cell.cell_type == "code"], cells


def validate(page: Page) -> str:
    """Press Validate; the sort of the dialog that answers, and its text."""
    page.locator(".validate-button").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_be_visible(timeout=SECONDS * 1000)
    (sort,) = re.findall(r"nbgrader-(\w+)Dialog", dialog.get_attribute("class"))
    return sort, dialog.inner_text()


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


def test_students_edit_their_cells_and_no_others(page, lab, students):
    released = read(students / "blank" / NAME / f"{NAME}.ipynb").cells
    open_notebook(page, lab, "blank")
    edit(page, "def rewards_to_go", "  # mine")
    edit(page, "One return for every step", "  # mine")
    page.keyboard.type("dd")  # deletes the cell that is chosen
    _, cells = save(page, students, "blank")
    assert [cell.cell_type for cell in cells] == [cell.cell_type for cell in released]
    edited = {
        cell.id: cell.source
        for cell, before in zip(cells, released, strict=True)
        if cell.source != before.source
    }
    assert list(edited) == ["rewards_to_go"]
    assert edited["rewards_to_go"].split("\n")[0].endswith(":  # mine")


def test_blank_notebook_stops_at_its_first_test_and_does_not_validate(
    page, lab, students
):
    open_notebook(page, lab, "blank")
    restart_and_run_all(page)
    code, _ = save(page, students, "blank")
    ((cell, error),) = outputs(code, "error")
    assert cell == "test-rewards_to_go"
    assert error.ename == "NotImplementedError"
    sort, text = validate(page)
    assert sort == "Error"
    assert text.count("The following cell failed:") == TESTS + 1  # and the answer
    assert "You did not provide a response." in text


def test_solved_notebook_runs_from_top_to_bottom_and_validates(page, lab, students):
    open_notebook(page, lab, "solved")
    expect(page.locator(".lm-MenuBar-item", has_text="Nbgrader")).to_be_visible()
    restart_and_run_all(page)
    code, _ = save(page, students, "solved")
    assert outputs(code, "error") == []
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    printed = outputs(code, "stream")
    assert {output.name for _, output in printed} == {"stdout"}, "a pink box appears"
    ((training, figure),) = outputs(code, "display_data")
    assert "image/png" in figure.data
    assert {cell for cell, _ in printed} == {training}
    assert validate(page) == (
        "Success",
        "Validation Results\n\nSuccess! Your notebook passes all the tests.\n\nOk",
    )
