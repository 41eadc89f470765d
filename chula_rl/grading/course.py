"""Where the parts of a course are, and nbgrader's commands on it."""

import os
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from chula_rl.errors import AssignmentError


@dataclass(frozen=True)
class Course:
    """The folders of a course.

    Attributes:
        root: the project: ``assignments/``, ``chula_rl/``, ``pyproject.toml``.
    """

    root: Path

    @classmethod
    def find(cls) -> "Course":
        """The course that the working directory is in.

        Raises:
            AssignmentError: it is in none.
        """
        here = Path.cwd()
        for root in (here, *here.parents):
            if (root / "assignments" / "nbgrader_config.py").exists():
                return cls(root)
        raise AssignmentError(
            f"{here} is not inside a course: no assignments/nbgrader_config.py here or "
            "above. Change to the folder of the course."
        )

    @property
    def package(self) -> Path:
        """The reference package."""
        return self.root / "chula_rl"

    @property
    def assignments(self) -> Path:
        """The course directory of nbgrader."""
        return self.root / "assignments"

    @property
    def settings(self) -> Path:
        """What an instructor may set; there need not be such a file."""
        return self.assignments / "grading.toml"

    @property
    def build(self) -> Path:
        """What is built and never committed."""
        return self.root / "_build"

    def names(self) -> list[str]:
        """The assignments that have a source."""
        sources = sorted((self.assignments / "source").glob("*/*.md"))
        return [path.stem for path in sources if path.stem == path.parent.name]

    def source(self, name: str) -> Path:
        """The text notebook of an assignment.

        Raises:
            AssignmentError: there is none.
        """
        path = self.assignments / "source" / name / f"{name}.md"
        if not path.exists():
            raise AssignmentError(
                f"no assignment '{name}': {path} does not exist. There are: "
                + (", ".join(self.names()) or "none")
            )
        return path

    def rubric(self, name: str) -> Path:
        """The marking guide of the written questions in the text."""
        return self.assignments / "rubrics" / f"{name}.md"

    def released(self, name: str) -> Path:
        """The folder that students get."""
        return self.assignments / "release" / name

    def archive(self, name: str) -> Path:
        """The same as a zip archive."""
        return self.build / "release" / f"{name}.zip"

    def submitted(self, name: str, student: str) -> Path:
        """The folder that a student handed in."""
        return self.assignments / "submitted" / student / name

    def nbgrader(self) -> NbGraderAPI:
        """The commands of nbgrader, under the course's ``nbgrader_config.py``."""
        tools = str(Path(sys.executable).parent)  # nbgrader runs `alembic` by name
        if tools not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = tools + os.pathsep + os.environ["PATH"]
        loader = PyFileConfigLoader("nbgrader_config.py", path=str(self.assignments))
        config = Config(loader.load_config())
        config.CourseDirectory.root = str(self.assignments)
        warnings.filterwarnings("ignore", module="nbgrader")  # of its SQL, harmless
        api = NbGraderAPI(config=config)
        api.log.propagate = False  # its log arrives with each result
        return api


def require(result: dict[str, Any], what: str) -> None:
    """Raise unless an nbgrader command succeeded.

    Args:
        result: what a method of ``NbGraderAPI`` returned.
        what: the step, for the message.

    Raises:
        AssignmentError: with the last error that nbgrader logged.
    """
    if result["success"]:
        return
    log = (result.get("log", "") + "\n" + result["error"]).strip().splitlines()
    causes = [line for line in log if re.match(r"[\w.]*(Error|Exception)\b", line)]
    own = [line for line in causes if "NbGraderException" not in line]
    raise AssignmentError(f"{what} failed: {(own or causes or log)[-1]}")
