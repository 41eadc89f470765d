"""The built book: complete, accessible, and without anything from the network."""

import importlib.util
import itertools
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book" / "chapters").glob("*.md"))
TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
PAGES = [TOC["root"]] + [c["file"] for part in TOC["parts"] for c in part["chapters"]]

STATEMENT = re.compile(
    r"^[:`]{3,}\{prf:(?:theorem|lemma|proposition|corollary)\}.*\n((?::\w+:.*\n)*)",
    re.MULTILINE,
)


class Page(HTMLParser):
    """The tags of a page, each as its name and attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def resources(self) -> list[str]:
        """Addresses of what a browser loads to show the page."""
        loading = {"stylesheet", "preload", "modulepreload", "icon", "shortcut"}
        found = []
        for tag, attributes in self.tags:
            if tag == "link" and loading & set(attributes.get("rel", "").split()):
                found.append(attributes["href"])
            elif tag in ("script", "img", "iframe", "source", "video", "audio"):
                found.append(attributes.get("src", ""))
        return [address for address in found if address]


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, site: Path) -> Page:
    return Page(site / f"{request.param}.html")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_statement_has_its_check(chapter: Path) -> None:
    text = chapter.read_text("utf-8")
    statements = []
    for options in STATEMENT.findall(text):
        label = re.search(r":label: *(\S+)", options)
        assert label, f"a statement without label: {options!r}"
        statements.append(label[1])
    checks = re.findall(r"^# check: (\S+)$", text, re.MULTILINE)
    assert sorted(statements) == sorted(checks)


def test_the_statement_pattern_sees_all_forms() -> None:
    text = """
:::{prf:lemma} A title
:label: one
:::

```{prf:theorem}
:nonumber:
:label: two
```
"""
    assert STATEMENT.findall(text) == [":label: one\n", ":nonumber:\n:label: two\n"]


@pytest.mark.slow
def test_figures_have_alternative_texts(page: Page) -> None:
    for tag, attributes in page.tags:
        if tag == "img":
            assert attributes.get("alt", "").strip(), attributes
        if tag == "svg" and attributes.get("role") == "img":
            assert attributes.get("aria-label", "").strip(), attributes


@pytest.mark.slow
def test_every_figure_is_themed(page: Page) -> None:
    classes = [attributes.get("class", "") for _, attributes in page.tags]
    figures = classes.count("chula-figure")
    drawings = [a for tag, a in page.tags if tag == "svg" and a.get("role") == "img"]
    assert classes.count("only-light") == classes.count("only-dark") == figures
    assert len(drawings) == 2 * figures


@pytest.mark.slow
def test_no_cell_ended_in_an_error(page: Page) -> None:
    for _, attributes in page.tags:
        kinds = attributes.get("class", "").split()
        assert not {"traceback", "stderr", "system-message"} & set(kinds), attributes


@pytest.mark.slow
def test_no_formula_is_left_as_text(page: Page) -> None:
    html = page.path.read_text("utf-8")
    article = html[html.index("<article") : html.index("</article>")]
    code = r"<(pre|code|script|style|svg)\b.*?</\1>"
    prose = re.sub(r"<[^>]+>", "", re.sub(code, "", article, flags=re.DOTALL))
    # a formula that was recognised is between backslashes and brackets
    assert re.findall(r".{0,30}\$.{0,30}", prose) == []


@pytest.mark.slow
def test_resources_are_part_of_the_site(page: Page) -> None:
    for address in page.resources():
        assert not re.match(r"(https?:)?//", address), address
        if not address.startswith("data:"):
            assert (page.path.parent / address.split("?")[0]).exists(), address


@pytest.mark.slow
def test_style_sheets_load_nothing_from_the_network(site: Path) -> None:
    remote = re.compile(r"""(url\(|@import)\s*["']?(https?:)?//""")
    for sheet in site.rglob("*.css"):
        assert not remote.search(sheet.read_text("utf-8")), sheet


@pytest.mark.slow
def test_descriptions_for_shared_links_are_plain_text(page: Page) -> None:
    for tag, attributes in page.tags:
        if tag == "meta" and attributes.get("property") == "og:description":
            assert not set("$\\") & set(attributes["content"]), attributes["content"]


@pytest.mark.slow
def test_no_solution_is_quoted(page: Page) -> None:
    text = re.sub(r"\s+", " ", "".join(page.texts))
    for pair in solution_pairs():
        assert pair not in text


def solution_pairs() -> list[str]:
    """Each two consecutive lines of a solution in the package."""
    pattern = re.compile(r"### BEGIN SOLUTION\n(.*?)\n *### END SOLUTION", re.DOTALL)
    pairs = []
    for module in (ROOT / "chula_rl").rglob("*.py"):
        for body in pattern.findall(module.read_text("utf-8")):
            lines = [line.strip() for line in body.splitlines()]
            pairs += [" ".join(pair) for pair in itertools.pairwise(lines)]
    return [pair for pair in pairs if len(pair) > 40]


def test_solutions_are_found_in_the_package() -> None:
    assert any(
        "following = reward[t] + gamma * following" in p for p in solution_pairs()
    )


@pytest.fixture
def extension() -> ModuleType:
    path = ROOT / "book" / "_ext" / "chula_book.py"
    spec = importlib.util.spec_from_file_location("chula_book", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("changed", "forgets"),
    [("envs.py", True), ("algorithms/reinforce.py", True), ("grading/x.py", False)],
)
def test_cache_forgets_outputs_of_another_package(
    extension: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changed: str,
    forgets: bool,
) -> None:
    copy = tmp_path / "chula_rl"
    shutil.copytree(ROOT / "chula_rl", copy)
    monkeypatch.setattr(extension, "PACKAGE", copy)
    before = extension.package_digest()
    with (copy / changed).open("a") as file:
        file.write("\n# changed\n")
    assert (extension.package_digest() != before) == forgets


def test_cache_forgets_outputs_of_other_tables(
    extension: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extension, "DATA", tmp_path)
    before = extension.package_digest()
    (tmp_path / "departures.csv").write_text("algorithm\n")
    assert extension.package_digest() != before
