"""Settings of nbgrader, for its own commands in this folder and for ``chula-rl``."""

import os
import sys
from pathlib import Path

import nbgrader

c = get_config()  # noqa: F821  (nbgrader puts it there)

# Ten kernels with a thread for each core would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

c.CourseDirectory.course_id = "chula_rl"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# The text notebook in source/ holds the solutions, and what lies beside it the answers
# of other years: nbgrader must never copy them.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*.md",
    "*.toml",
]

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# Students' code runs in a sandbox, the tests outside of it: as with `chula-rl grade`.
c.Autograde.sanitize_preprocessors = ["chula_rl.grading.plugin.Graft"]
c.Autograde.autograde_preprocessors = [
    "chula_rl.grading.plugin.SplitExecute",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]
# What a late submission loses: the table [late] of grading.toml.
c.AssignLatePenalties.plugin_class = "chula_rl.grading.late.LatePenalty"

# The feedback is a page of its own, without scripts.
c.GenerateFeedback.exporter_class = "chula_rl.grading.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "chula_rl.grading.feedback.Grades",
    "chula_rl.grading.feedback.HideHiddenTests",
]

# The page of formgrader needs its scripts, so of a student's work it must get nothing
# but text and pictures. The first folder of templates keeps MathJax, and with it the
# network, out of nbgrader's.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.preprocessors = ["chula_rl.grading.sanitize_notebook.SanitizeNotebook"]
c.HTMLExporter.filters = {
    "markdown2html": "chula_rl.grading.safe_html.markdown2html",
    "highlight_code": "chula_rl.grading.safe_html.highlight_code",
    "strip_files_prefix": "markupsafe.soft_str",  # nothing to strip, and it is slow
}
c.HTMLExporter.extra_template_basedirs = [
    str(Path(__file__).resolve().parents[1] / "chula_rl" / "grading" / "templates"),
    str(Path(nbgrader.__file__).parent / "server_extensions/formgrader/templates"),
]

# Formgrader makes its exporter once, when the server starts. If it is opened for this
# folder later (`?path=`, "local" in JupyterLab), it would not heed the lines above.
if "nbgrader.server_extensions.formgrader.base" in sys.modules:
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader.base import BaseHandler

    BaseHandler.exporter = property(
        lambda self: HTMLExporter(config=self.settings["nbgrader_formgrader"].config)
    )
