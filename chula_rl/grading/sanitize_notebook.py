"""What may be shown of a notebook: text, pictures and nbgrader's own metadata."""

import html
import re
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict

from chula_rl.grading.limits import Limits
from chula_rl.grading.sanitize import (
    clean_count,
    clean_outputs,
    clean_png,
    clean_source,
    clean_text,
)

MAX_SOURCES = 1_000_000  # characters of all cells together

_GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_NBGRADER: dict[str, type | tuple[type, ...]] = {
    "grade": bool,
    "solution": bool,
    "locked": bool,
    "task": bool,
    "points": (int, float),
    "schema_version": int,
    "cell_type": str,
    "checksum": str,
}
# What formgrader hands to its template, which puts it into the page as it is.
_NAMES = (
    *("student", "first_name", "last_name", "notebook_path"),
    *("assignment_id", "notebook_id"),
)


class SanitizeNotebook(Preprocessor):
    """Rebuilds a notebook from what is safe to show of it.

    To come before everything else, in nbgrader's feedback and in formgrader.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Keep text, pictures and nbgrader's metadata; escape the student's names."""
        for name in _NAMES:
            if isinstance(resources.get(name), str):
                resources[name] = html.escape(clean_source(resources[name]))
        return from_dict(clean_notebook(nb)), resources  # type: ignore[no-untyped-call]


def clean_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook of nbformat 4 with nothing in it but what is known to be harmless.

    Of a cell remain its source, its outputs as ``clean_outputs`` leaves them, attached
    pictures and what nbgrader wrote; of the notebook's metadata, what the grader says.
    """
    metadata = _dict(notebook.get("metadata"))
    cells, length = [], 0
    for i, cell in enumerate(notebook["cells"]):
        clean = _clean_cell(cell, i)
        length += len(clean["source"])
        if length > MAX_SOURCES:
            clean["source"] = "The notebook is too long to be shown from here on."
        cells.append(clean)
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": cells,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            "chula_rl": _clean_words(_dict(metadata.get("chula_rl"))),
        },
    }


def _clean_cell(cell: dict[str, Any], index: int) -> dict[str, Any]:
    kind, source = cell.get("cell_type"), clean_source(cell.get("source"))
    own = _clean_nbgrader(_dict(_dict(cell.get("metadata")).get("nbgrader")))
    clean: dict[str, Any] = {
        "id": f"cell-{index}",
        "cell_type": "code" if kind == "code" else "markdown",
        "metadata": {"nbgrader": own} if own else {},
        "source": source,
    }
    if kind == "code":
        # More than the grader keeps, so that what it cut is not cut once more.
        clean["outputs"] = clean_outputs(cell.get("outputs"), 2 * Limits().output)
        clean["execution_count"] = clean_count(cell.get("execution_count"))
    elif kind == "markdown":
        clean["attachments"] = _clean_attachments(_dict(cell.get("attachments")))
    else:  # raw text, which an exporter may copy into its page as it is
        longest = max(map(len, re.findall("`+", source)), default=0)
        fence = "`" * max(3, longest + 1)
        clean["source"] = f"{fence}\n{source}\n{fence}"
    return clean


def _clean_nbgrader(own: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader wrote about a cell; empty if its name is none."""
    name = own.get("grade_id")
    if not isinstance(name, str) or not _GRADE_ID.fullmatch(name):
        return {}
    kinds = _NBGRADER.items()
    kept = {key: own[key] for key, kind in kinds if isinstance(own.get(key), kind)}
    return {"points": 0, **kept, "grade_id": name}  # without points no page is made


def _clean_attachments(attachments: dict[str, Any]) -> dict[str, Any]:
    """The pictures that come with a cell."""
    pictures = {
        str(name): clean_png(_dict(bundle).get("image/png"))
        for name, bundle in attachments.items()
    }
    return {name: {"image/png": data} for name, data in pictures.items() if data}


def _clean_words(words: dict[str, Any]) -> dict[str, Any]:
    """What the grader says about the whole submission."""
    notes = words.get("notes")
    return {
        "status": clean_text(words.get("status")),
        "reason": clean_text(words.get("reason")),
        "notes": [clean_text(note) for note in notes]
        if isinstance(notes, list)
        else [],
    }


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
