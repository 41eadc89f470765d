"""Settings of nbgrader, for its own commands in this folder and for ``chula-rl``."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader puts it there)

# Ten kernels with a thread for each core would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

c.CourseDirectory.course_id = "chula_rl"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# The text notebook in source/ holds the solutions: nbgrader must never copy it.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*.md",
]

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# The slowest honest cell is the training run; an endless loop ends here.
c.Execute.timeout = 120
c.Execute.interrupt_on_timeout = True
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    "--log-level=ERROR",
]

# nbgrader takes any stderr output of a test cell for a failure. A warning or a progress
# bar is none, so it is dropped before the marking.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = ".*"

# nbgrader's own list, with one step more.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "chula_rl.grading.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
