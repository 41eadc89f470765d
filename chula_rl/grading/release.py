"""Release an assignment: notebook, wheel and instructions, as a folder and a zip."""

import shutil
import zipfile
from pathlib import Path

from chula_rl.grading import cells, source, variants
from chula_rl.grading.course import Course, require
from chula_rl.grading.edition import build_wheel, write_student_edition
from chula_rl.grading.leaks import check_release
from chula_rl.grading.secret import collect, kept_back


def release(course: Course, name: str) -> Path:
    """Make what students get, and prove that no answer is in it.

    Args:
        course: the course.
        name: the assignment.

    Returns:
        The zip archive.

    Raises:
        AssignmentError: the source is not sound, or nbgrader refuses it.
        LeakError: an answer would be released; nothing is left to hand out then.
    """
    source.build(course, name)
    folder, archive = course.released(name), course.archive(name)
    try:
        result = course.nbgrader().generate_assignment(name)
        require(result, f"nbgrader generate_assignment {name}")
        template = (course.assignments / "student_readme.md").read_text("utf-8")
        wheel = build_wheel(folder, course.root, "The student edition of chula_rl.\n")
        readme = template.format(name=name, wheel=wheel.name)
        (folder / "README.md").write_text(readme, "utf-8")
        _zip(folder, archive, name)
        check(course, name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        archive.unlink(missing_ok=True)
        raise
    write_student_edition(course.build / "student-edition", course.package)
    return archive


def check(course: Course, name: str) -> None:
    """Pass what is released now through the leak gate.

    Raises:
        AssignmentError: it is in another variant than the course asks for.
        LeakError: an answer is in it.
    """
    released = course.released(name) / f"{name}.ipynb"
    if released.exists():
        variants.require(course.settings, name, released)
    notebook = cells.read(source.build(course, name))
    secrets = collect(course.package, notebook, kept_back(course, name))
    check_release(course.released(name), course.archive(name), name, secrets)


def _zip(folder: Path, archive: Path, name: str) -> None:
    """The same files give the same bytes: sorted, without dates and owners."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(f"{name}/{path.name}")
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, path.read_bytes())
