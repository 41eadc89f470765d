"""Markdown, mathematics and code that strangers wrote, as HTML that is safe to show.

Markdown becomes HTML with ``markdown-it``; ``nh3`` then keeps what is on a short list
of elements and attributes, none of which can run a script, load anything, or look like
a part of the page around it. Formulas become MathML, which browsers show themselves.

Formulas and highlighted code are made here, from text alone, so they skip that list:
the markdown holds an empty element in their place until all the rest is clean.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import nh3
from ipython_pygments_lexers import IPython3Lexer  # type: ignore[import-untyped]
from jinja2 import pass_context
from jinja2.runtime import Context
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from math_core import LatexToMathML
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from chula_rl.grading.sanitize import clean_png, clean_source

# What is longer is shown as it is. Nobody writes it, and the time of parsers can grow
# with the square of the length.
MAX_MARKDOWN = 20_000
MAX_CODE = 50_000
MAX_LINE = 500  # of code
MAX_FORMULA = 2_000  # nested ten thousand deep, it would overflow the stack
MAX_MATHML = 100_000  # what a formula's own macros may make of it

_TAGS = nh3.ALLOWED_TAGS - {"area", "map"}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "style"},
    "div": {"data-kept"},
    "span": {"data-kept"},
}
_LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
_PICTURE = "data:image/png;base64,"

# What math-core writes, but for links and identifiers.
# fmt: off
_MATH_TAGS = {
    "math", "semantics", "annotation", "mi", "mn", "mo", "ms", "mtext", "mspace",
    "mrow", "mfrac", "msqrt", "mroot", "mstyle", "msub", "msup", "msubsup", "munder",
    "mover", "munderover", "mmultiscripts", "mprescripts", "mpadded", "mphantom",
    "menclose", "mtable", "mtr", "mtd",
}
_MATH_ATTRIBUTES = {
    "accent", "accentunder", "columnspan", "depth", "display", "displaystyle",
    "encoding", "fence", "form", "height", "largeop", "linethickness", "lspace",
    "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowspan",
    "rspace", "scriptlevel", "separator", "stretchy", "style", "symmetric", "voffset",
    "width",
}
_MATH_STYLES = {
    "border-bottom", "border-left", "border-right", "border-top", "color",
    "justify-items", "margin-left", "padding-left", "padding-right", "text-align",
    "width",
}
# fmt: on


@pass_context
def markdown2html(context: Context, source: str) -> Markup:
    """The filter of that name of nbconvert's templates, in safe."""
    cell = context.get("cell") or {}
    return render(source, cell.get("attachments") or {})


def render(source: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Safe HTML of the source of a markdown cell.

    Args:
        source: markdown with formulas between dollar signs.
        attachments: of the cell: name, then MIME type, then base64.
    """
    source = clean_source(source)
    if len(source) > MAX_MARKDOWN:
        return Markup("<pre>{}</pre>").format(source)
    kept = _Kept()
    body = _parser().render(source, {"kept": kept})

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "data-kept":
            return value if value.startswith(kept.token) else None
        if name == "href":
            return value if _LINK.match(value) else None
        if name == "src":
            return _source(value, attachments or {})
        return value

    clean = nh3.clean(
        body,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        filter_style_properties={"text-align"},
        url_schemes={"http", "https", "mailto", "data", "attachment"},
        url_relative=lambda url: url if url.startswith("#") else None,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(kept.restore(clean))


def highlight_code(source: str, *_: object, **__: object) -> Markup:
    """The filter of that name of nbconvert's templates; the language is Python."""
    # Spaces at the end of lines are what the lexer is slowest at.
    lines = [line.rstrip() for line in clean_source(source).split("\n")]
    source = "\n".join(lines)
    if len(source) > MAX_CODE or max(map(len, lines)) > MAX_LINE:
        return Markup('<div class="highlight"><pre>{}</pre></div>').format(source)
    return Markup(highlight(source, IPython3Lexer(), HtmlFormatter()))


def formula(tex: str, display: bool) -> Markup:
    """MathML of a formula; its TeX as code if it cannot be read."""
    try:
        if len(tex) > MAX_FORMULA:
            raise ValueError("too long")
        # Its own converter: a command that one formula defines ends with it.
        converter = LatexToMathML(annotation=True, fancy_error=False, max_expansions=99)
        mathml = converter.convert_with_local_state(tex, displaystyle=display)
        if len(mathml) > MAX_MATHML:
            raise ValueError("too much")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # its LatexError, and its panics, which are no Exception
        dollars = "$$" if display else "$"
        return Markup("<code>{0}{1}{0}</code>").format(dollars, tex)
    return Markup(
        nh3.clean(
            mathml,
            tags=_MATH_TAGS,
            attributes={"*": _MATH_ATTRIBUTES},
            filter_style_properties=_MATH_STYLES,
        )
    )


def _source(url: str, attachments: Mapping[str, Any]) -> str | None:
    """The address of a picture, which has to come with the cell."""
    data: object = None
    if url.startswith("attachment:"):
        bundle = attachments.get(unquote(url.removeprefix("attachment:")))
        data = bundle.get("image/png") if isinstance(bundle, Mapping) else None
    elif url.startswith(_PICTURE):
        data = url.removeprefix(_PICTURE)
    picture = clean_png(data)
    return _PICTURE + picture if picture else None


class _Kept:
    """Pieces of HTML that are left out while the rest is cleaned."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)  # or a student could write a place for one
        self._pieces: list[str] = []

    def keep(self, piece: str, tag: str) -> str:
        """An empty element to stand for the piece."""
        self._pieces.append(piece)
        return f'<{tag} data-kept="{self.token}-{len(self._pieces) - 1}"></{tag}>'

    def restore(self, text: str) -> str:
        """The text with the pieces in their places."""
        place = rf'<(div|span) data-kept="{self.token}-(\d+)"></\1>'
        return re.sub(place, lambda found: self._pieces[int(found[2])], text)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True})
    parser.enable(["table", "strikethrough"])
    parser.disable("reference")  # a page of definitions takes it minutes
    parser.use(dollarmath_plugin, allow_labels=False, double_inline=True)
    parser.use(amsmath_plugin)
    for name in ("math_inline", "math_inline_double", "math_block", "amsmath"):
        parser.add_render_rule(name, _formula_rule(display=name != "math_inline"))
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, _code_rule)
    return parser


def _formula_rule(display: bool) -> Callable[..., str]:
    def rule(
        self: object, tokens: Sequence[Token], i: int, options: object, env: Any
    ) -> str:
        tag = "div" if tokens[i].block else "span"
        return str(env["kept"].keep(formula(tokens[i].content.strip(), display), tag))

    return rule


def _code_rule(
    self: object, tokens: Sequence[Token], i: int, options: object, env: Any
) -> str:
    language = tokens[i].info.strip().split(" ")[0].lower()
    if language in ("python", "py", "python3", "ipython", "ipython3"):
        piece = highlight_code(tokens[i].content)
    else:
        piece = Markup("<pre><code>{}</code></pre>").format(tokens[i].content)
    return str(env["kept"].keep(piece, "div"))
