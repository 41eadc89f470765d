"""What is kept of outputs: text and pictures, valid, within the limit, of any junk."""

import base64
import json
import math
import struct
import time
import zlib

import nbformat
import pytest
from hostile_html import OUTPUTS, PNG, SVG64
from nbformat.v4 import new_code_cell, new_notebook

from chula_rl.grading.sanitize import (
    MAX_OUTPUTS,
    clean_outputs,
    clean_png,
    clean_source,
    clean_text,
)

PLENTY = 10**6


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(data, kind="display_data", **more):
    return {"output_type": kind, "data": data, "metadata": {}, **more}


def bytes_of(output):
    if output["output_type"] == "stream":
        texts = [output["text"]]
    elif output["output_type"] == "error":
        texts = [output["ename"], output["evalue"], *output["traceback"]]
    else:
        texts = list(output["data"].values())
    return sum(len(text.encode()) for text in texts)


def png(width, height):
    """A real picture, of one colour, made without a library for pictures."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = b"\0" + b"\0" * math.ceil(width / 8)
    pixels = zlib.compress(row * min(height, 1000))
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return base64.b64encode(picture + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def test_what_is_harmless_stays_as_it_was():
    outputs = [
        stream("a < b & c\n\tπ 😀\n"),
        stream("careful", "stderr"),
        shown({"image/png": PNG, "text/plain": "<Figure>"}),
        shown({"text/plain": "3"}, "execute_result", execution_count=7),
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t\nu"]},
    ]
    assert clean_outputs(outputs, PLENTY) == outputs


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_only_text_and_true_pictures_remain(output):
    for clean in clean_outputs([output], PLENTY):
        kinds = clean.get("data", {}).keys()
        assert kinds <= {"image/png", "text/plain"}
        assert clean.get("metadata", {}) == {}
        assert "\x1b" not in json.dumps(clean, ensure_ascii=False)
        if output["output_type"] == "display_data":
            assert clean["data"]["text/plain"] == "instead"
            assert ("image/png" in kinds) == (output["data"].get("image/png") == PNG)


JUNK = [
    *(None, 0, "text", {}, {"output_type": "stream"}, float("nan"), True, b"bytes"),
    *([1, None, "x", [], {}], [[[]]], [{"output_type": ["stream"]}]),
    [{"output_type": "stream", "name": {"a": 1}, "text": {"b": 2}}],
    [{"output_type": "stream", "name": "stdin", "text": ["a", 1, None, "b"]}],
    [{"output_type": "display_data"}, {"output_type": "display_data", "data": []}],
    [{"output_type": "display_data", "data": {"text/plain": 3, "image/png": [None]}}],
    [{"output_type": "execute_result", "data": {"text/plain": "x"}}],
    [shown({"text/plain": "x"}, "execute_result", execution_count="<b>")],
    [shown({"text/plain": "x"}, "execute_result", execution_count=True)],
    [shown({"text/plain": "x"}, "execute_result", execution_count=10**30)],
    [{"output_type": "error"}, {"output_type": "error", "ename": 1, "traceback": 2}],
    [{"output_type": "error", "ename": "E", "traceback": ["a", 3, ["b"], None]}],
    [{"output_type": "update_display_data", "data": {"text/plain": "x"}}],
    [{"output_type": "pyout", "text": "x"}, {1: 2, None: 3}],
    [stream("lone \ud800 surrogate \x00 \x08 \u202e \x9b")],
    [shown({"image/png": "é"}), shown({"image/png": "A"}), shown({"image/png": ""})],
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_of_any_junk_comes_a_valid_notebook(junk):
    clean = clean_outputs(junk, PLENTY)
    notebook = new_notebook(cells=[new_code_cell("1", outputs=clean)])
    nbformat.validate(nbformat.from_dict(notebook))
    json.dumps(clean, ensure_ascii=False).encode()  # raises if it is no UTF-8
    assert clean_outputs(clean, PLENTY) == clean


def test_the_argument_is_left_alone():
    outputs = [stream("\x1b[1ma\rb"), shown({"text/html": "x", "text/plain": "y"})]
    before = json.dumps(outputs)
    clean_outputs(outputs, 1)
    assert json.dumps(outputs) == before


@pytest.mark.parametrize("limit", [0, 1, 7, 100, 1_000])
def test_the_limit_holds_and_the_last_line_says_what_is_gone(limit):
    outputs = [
        stream("π" * 300),
        shown({"image/png": PNG, "text/plain": "x" * 50}),
        stream("y" * 300),
        {"output_type": "error", "ename": "E", "evalue": "v" * 99, "traceback": ["t"]},
    ]
    total = sum(map(bytes_of, outputs))
    assert total > 1_000
    *clean, last = clean_outputs(outputs, limit)
    kept = sum(map(bytes_of, clean))
    assert kept <= limit
    assert last["output_type"] == "stream"
    assert last["text"].startswith(f"[{total - kept:,} bytes of output are not shown")
    if limit >= 1_000:
        assert "image/png" in clean[1]["data"]


def test_an_error_is_shown_before_what_was_printed():
    error = {"output_type": "error", "ename": "E", "evalue": "why", "traceback": ["E"]}
    clean = clean_outputs([stream("x" * 10_000), error], 100)
    assert [output["output_type"] for output in clean] == ["stream", "error", "stream"]
    assert clean[1] == error
    assert len(clean[0]["text"]) == 95


def test_a_picture_is_shown_whole_or_not_at_all():
    *clean, last = clean_outputs([shown({"image/png": PNG, "text/plain": "fig"})], 50)
    assert clean == [shown({"text/plain": "fig"})]
    assert last["text"].startswith(f"[{len(PNG):,} bytes")


def test_ten_thousand_outputs_become_few():
    pieces = [stream(f"{i}\n") for i in range(10_000)]
    (joined,) = clean_outputs(pieces, PLENTY)
    assert joined["text"].splitlines() == [str(i) for i in range(10_000)]
    clean = clean_outputs([shown({"text/plain": "x"})] * 10_000, PLENTY)
    assert len(clean) == MAX_OUTPUTS + 1
    assert clean[-1]["text"].startswith("[9,000 bytes")


@pytest.mark.parametrize("piece", ["x", "\x1b[", "\x1b]a", "a\r", "\x1b[0 ", "\n", "π"])
def test_a_huge_output_takes_no_long_time(piece):
    start = time.process_time()
    clean = clean_outputs([stream(piece * 2_000_000)], 1_000)
    assert sum(map(bytes_of, clean)) < 1_200
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mx\x1b[K", "red x"),
        ("\x1b]8;;http://evil.test\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("  0%|   \r 50%|#  \r100%|###\n", "100%|###\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("done\r", "done"),
        (["a", "\r", "b"], "b"),
        ("a\x00b\x08c\x7fd\x85e", "abcde"),
        ("user\u202etxt.exe\u2066", "usertxt.exe"),
        ("\x1b[31", "[31"),
    ],
)
def test_text_is_what_a_terminal_would_leave(raw, seen):
    assert clean_text(raw) == seen


def test_a_source_keeps_all_its_lines():
    assert clean_source("a\r\nb\rc\n\td\u202e\x1b") == "a\nb\nc\n\td"


def test_a_picture_must_be_one():
    assert clean_png(PNG) == PNG
    assert clean_png(PNG[:40] + "\n" + PNG[40:] + "\n") == PNG
    assert clean_png([PNG[:40], PNG[40:]]) == PNG
    assert clean_png(png(4000, 4000).decode())
    header = base64.b64decode(PNG)[:8]
    for bad in (
        *(None, 7, {}, "", "AAAA", SVG64, PNG[:-1], PNG + '"onerror=', PNG[:12]),
        base64.b64encode(header).decode(),
        base64.b64encode(header + b"<script>" * 9).decode(),
        base64.b64encode(b"GIF89a" + base64.b64decode(PNG)).decode(),
        png(4001, 4000).decode(),
        png(0, 1).decode(),
    ):
        assert clean_png(bad) is None
