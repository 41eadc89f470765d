"""What the book needs of Sphinx beyond its configuration."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from chula_rl import __version__
from chula_rl.grading import edition

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "chula_rl"
DATA = ROOT / "book" / "data"  # of `chula-rl bench departures`


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    os.environ["OMP_NUM_THREADS"] = "1"  # kernels inherit it; the nets are tiny
    app.connect("config-inited", key_cache_on_package)
    app.connect("config-inited", set_site_url)
    app.connect("config-inited", write_student_edition)
    app.connect("config-inited", drop_thebe)
    app.connect("include-read", fill_in_instructions)
    app.connect("autodoc-process-docstring", point_to_environment_chapter)
    app.connect("autodoc-skip-member", skip_named_tuple_fields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def key_cache_on_package(app: Sphinx, config: Config) -> None:
    """Forget executed outputs when the package that they came from has changed.

    The cache of myst-nb compares the cells alone.
    """
    cache = Path(app.outdir).parent / ".jupyter_cache"
    current = cache / package_digest()
    for stale in set(cache.glob("*")) - {current}:
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    config.nb_execution_cache_path = str(current)


def package_digest() -> str:
    """A digest of what chapters use: ``chula_rl`` but ``grading``, and the tables."""
    digest = hashlib.sha256()
    tables = [(path.name, path) for path in DATA.glob("*.csv")]
    modules = [(str(p.relative_to(PACKAGE)), p) for p in PACKAGE.rglob("*.py")]
    for name, path in sorted([*tables, *modules]):
        if not name.startswith("grading/"):
            digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def set_site_url(app: Sphinx, config: Config) -> None:
    """Take the public address from the environment; only CI knows it."""
    url = os.environ.get("SITE_URL", "http://localhost:8000").rstrip("/") + "/"
    config.html_baseurl = config.ogp_site_url = url


def write_student_edition(app: Sphinx, config: Config) -> None:
    """Write the edition without solutions, which the chapters quote."""
    edition.write_student_edition(ROOT / "_build" / "student-edition")


def fill_in_instructions(
    app: Sphinx, path: Path, parent: str, content: list[str]
) -> None:
    """Show students' instructions as they are in the archive of an assignment."""
    if path.name == "student_readme.md":
        wheel = f"chula_rl-{__version__}+student-py3-none-any.whl"
        content[0] = content[0].format(name="reinforce", wheel=wheel)


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Unhook what of sphinx-thebe loads scripts from a third party's server."""
    for listener in list(app.events.listeners["env-before-read-docs"]):
        if listener.handler.__name__ == "init_thebe_core":
            app.disconnect(listener.id)


def point_to_environment_chapter(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Replace a docstring in Gymnasium's Markdown, which is not reStructuredText."""
    if lines and lines[0].startswith("## "):
        lines[:] = ["Documented in :doc:`/chapters/environment`.", ""]


def skip_named_tuple_fields(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """Leave out "Alias for field number 0"; the class documents its fields."""
    return True if type(obj).__name__ == "_tuplegetter" else None
