"""Markdown, formulas and code of students as HTML: harmless, and still all there."""

import re
import time
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hostile_html import MARKDOWN, PNG, SVG64, Elements, wrong

from chula_rl.grading import source
from chula_rl.grading.course import Course
from chula_rl.grading.safe_html import formula, highlight_code, render


@pytest.mark.parametrize("vector", MARKDOWN.values(), ids=MARKDOWN)
def test_markdown_is_harmless(vector):
    attachments = {"evil.svg": {"image/svg+xml": SVG64, "image/png": SVG64}}
    elements = Elements(render(vector, attachments)).found
    assert not list(wrong(elements))
    assert not [name for _, given in elements for name, _ in given if "data-" in name]


KEPT = r"""
## Heading

*One* and **two**, `a < b`, ~~gone~~, H<sub>2</sub>O,
[link](https://example.org/?a=1&b=2).

1. first
2. second
   - inner

| a | b |
|:-:|--:|
| 1 | $x_1$ |

> quoted

```python
print("<&>")
```

Inline $a_1 < b_2 \& c$, and $$\sum_{t=0}^{T-1} \gamma^t r_t$$ in a line.

$$
\nabla J(\theta) = \mathbb{E}\bigl[\nabla \log \pi_\theta(a \mid s)\, A(s, a)\bigr]
$$

\begin{align}
x &< 1 \\
y &= 2
\end{align}

![plot](attachment:plot.png)
"""


def test_honest_markdown_survives():
    page = render(KEPT, {"plot.png": {"image/png": PNG}})
    for piece in (
        "<h2>Heading</h2>",
        "<em>One</em> and <strong>two</strong>, <code>a &lt; b</code>, <s>gone</s>",
        'href="https://example.org/?a=1&amp;b=2"',
        "H<sub>2</sub>O",
        "<ol>\n<li>first</li>\n<li>second\n<ul>\n<li>inner</li>",
        '<td style="text-align:center">1</td>',
        "<blockquote>",
        "&lt;&amp;&gt;",
        'class="nb">print</span>',
        f'<img src="data:image/png;base64,{PNG}" alt="plot">',
    ):
        assert piece in page
    assert page.count("<math") == 5
    assert page.count('<math display="block"') == 3
    assert "$" not in page


def test_a_picture_has_to_be_one_and_to_come_with_the_cell():
    attachments = {
        "a.png": {"image/png": SVG64},
        "b.svg": {"image/svg+xml": SVG64},
        "c.png": "not a bundle",
    }
    page = render(
        "![1](attachment:a.png) ![2](attachment:b.svg) ![3](attachment:c.png) "
        f"![4](attachment:none) ![5](data:image/png;base64,{SVG64}) ![6](file.png) "
        f"![7](data:image/png;base64,{PNG})",
        attachments,
    )
    assert page.count("<img") == 7
    assert re.findall('src="(.*?)"', page) == [f"data:image/png;base64,{PNG}"]


def test_a_formula_is_the_mathml_that_it_should_be():
    math = ElementTree.fromstring(formula(r"a_1 < \frac{b}{2} \& c", display=False))
    shown = math.find("semantics/mrow")
    assert ["".join(part.itertext()) for part in shown] == ["a1", "<", "b2", "&", "c"]
    assert [part.tag for part in shown] == ["msub", "mo", "mfrac", "mo", "mi"]
    assert math.find("semantics/annotation").text == r"a_1 < \frac{b}{2} \& c"
    assert math.get("display") is None
    assert ElementTree.fromstring(formula("x", True)).get("display") == "block"


def test_every_formula_of_the_assignments_can_be_shown():
    course = Course(Path(__file__).parents[1])
    texts = [source.text(course, name) for name in course.names()]
    for name in course.names():
        for question in chain(*source.offered(course, name).questions.values()):
            texts += [question.question, question.answer]
    text = "\n".join(re.sub(r"```.*?```", "", t, flags=re.S) for t in texts)
    text = re.sub("`[^`]*`", "", text)
    found = re.findall(r"\$\$(.+?)\$\$|(?<!\$)\$([^$]+?)\$(?!\$)", text, re.S)
    assert len(found) > 50
    for display, inline in found:
        assert "<math" in formula((display or inline).strip(), bool(display))


@pytest.mark.parametrize(
    "tex",
    [
        r"\notacommand{<b>}",
        "{" * 100_000,
        "{" * 1_900 + "x" + "}" * 90,
        r"\def\a{" + "x" * 1_800 + "}" + r"\a" * 50,
        r"\def\a{\a\a}\a",
        "a & b",
        "\x00",
    ],
)
def test_a_formula_that_cannot_be_read_is_shown_as_it_is(tex):
    page = formula(tex, display=False)
    assert page.startswith("<code>$")
    assert "<b>" not in page


@pytest.mark.parametrize(
    "text",
    [
        "[a]: b\n",
        "[",
        "![",
        "<b>",
        "<div>\n\n",
        "> ",
        "$",
        "\\begin{align}\n",
        "_a",
        "$\\sqrt",
        "`` ` ",
    ],
)
def test_long_markdown_takes_no_long_time(text):
    start = time.process_time()
    render(text * (20_000 // len(text)))
    render(text * 100_000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("text", ["a.", " ", "(", "?$", "'", "\\\n", "x\n"])
def test_long_code_takes_no_long_time(text):
    start = time.process_time()
    assert "<pre>" in highlight_code(text * 100_000)
    highlight_code(("x" + text * (498 // len(text)) + "\n") * 100)
    assert time.process_time() - start < 5
