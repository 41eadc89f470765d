"""Check every link and anchor inside a built site: python tools/check_links.py FOLDER.

The kept link checkers either need a server or, run as root, give up the right to read a
private folder, and none of them checks anchors in files.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and the links of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ``id``, ``name`` of an anchor, ``href`` and ``src``."""
        for name, value in attrs:
            if name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value or "")
            elif name in ("href", "src"):
                self.links.append(value or "")


def broken_links(site: Path) -> Iterator[str]:
    """Describe each link of each page that leads to nothing inside the site."""
    site = site.resolve()
    found = sorted(site.rglob("*.html"))
    # below _static the theme leaves templates, which are no pages
    pages = {path: Page(path) for path in found if "_static" not in path.parts}
    if not pages:
        yield f"{site} has no pages: build the book first"
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue  # outside of the site
            target = (path.parent / unquote(parts.path)) if parts.path else path
            target = target.resolve()
            if not target.exists():
                yield f"{path.relative_to(site)}: no file for {link}"
            elif target in pages and parts.fragment:
                anchor = unquote(parts.fragment)
                if anchor not in pages[target].anchors:
                    yield f"{path.relative_to(site)}: no anchor for {link}"


if __name__ == "__main__":
    broken = list(broken_links(Path(sys.argv[1])))
    print("\n".join(broken) or "links: all lead somewhere")
    sys.exit(bool(broken))
