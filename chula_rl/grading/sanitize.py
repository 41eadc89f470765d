"""What may be kept of the output of strangers' code: plain text and pictures.

Pure functions of what JSON can hold. They accept anything, never raise, and take time
linear in the size of what arrives.
"""

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_OUTPUTS = 1000  # of one cell, after joining; a page with more helps nobody
MAX_PIXELS = 16_000_000  # a small file can unpack to what no browser can hold
_PNG = b"\x89PNG\r\n\x1a\n"
_STREAMS = ("stdout", "stderr")
_BUNDLES = ("display_data", "execute_result")

# Colours and cursor movements of terminals (ECMA-48): CSI, OSC, and two-letter codes.
_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)
# Other control characters, and those that reverse the order of what is read.
_CONTROLS = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    - {ord("\n"), ord("\t")}
)


def clean_outputs(outputs: object, limit: int) -> list[dict[str, Any]]:
    """The outputs of one cell, reduced to what is safe to store and to show.

    Streams, errors, ``text/plain`` and ``image/png`` remain, without metadata; every
    other kind is dropped. Neighbouring streams are joined.

    Args:
        outputs: a list of outputs as in nbformat 4; anything else counts as empty.
        limit: bytes of text and of base64 in all. Errors come first, then the others
            in their order. If something had to go, a last stream says how much.

    Returns:
        Valid outputs of nbformat 4; plain dictionaries that share nothing with the
        argument.
    """
    allowance = _Allowance(limit)
    raw = list(_joined(outputs))
    cleaned: dict[int, dict[str, Any]] = {}
    errors_first = sorted(enumerate(raw), key=lambda item: _kind(item[1]) != "error")
    for i, output in errors_first:
        if len(cleaned) == MAX_OUTPUTS:
            allowance.left = 0
        shown = _clean_output(output, allowance)
        if shown is not None:
            cleaned[i] = shown
    result = [cleaned[i] for i in sorted(cleaned)]
    if allowance.lost:
        said = f"[{allowance.lost:,} bytes of output are not shown]"
        result.append({"output_type": "stream", "name": "stderr", "text": said + "\n"})
    return result


def clean_text(value: object) -> str:
    """Text as a terminal would leave it: no colours, no overwritten progress bars.

    Args:
        value: a string, or a list of its parts as in nbformat's files; anything else
            counts as empty.
    """
    text = _ANSI.sub("", _text(value)).replace("\r\n", "\n")
    if "\r" in text:
        lines = (line.rstrip("\r") for line in text.split("\n"))
        text = "\n".join(line.rpartition("\r")[2] for line in lines)
    return text.translate(_CONTROLS)


def clean_source(value: object) -> str:
    """The text of a cell without control characters that hide or reorder it."""
    text = _text(value).replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_CONTROLS)


def clean_png(value: object) -> str | None:
    """A PNG picture as base64 without line breaks, or None if it is none."""
    try:
        picture = base64.b64decode("".join(_text(value).split()), validate=True)
        width, height = struct.unpack(">II", picture[16:24])
    except (ValueError, struct.error):  # binascii.Error is a ValueError
        return None
    if picture[:8] != _PNG or picture[12:16] != b"IHDR":
        return None
    if not 0 < width * height <= MAX_PIXELS:
        return None
    return base64.b64encode(picture).decode("ascii")


@dataclass
class _Allowance:
    """What may still be shown.

    Attributes:
        left: bytes.
        lost: bytes that did not fit.
    """

    left: int
    lost: int = 0

    def part(self, text: str) -> str:
        """As much of the text as fits."""
        data = text.encode()
        kept = data[: max(self.left, 0)].decode(errors="ignore")
        used = len(kept.encode())
        self.left -= used
        self.lost += len(data) - used
        return kept

    def whole(self, text: str | None) -> str:
        """All of the text, or nothing."""
        if text is None or len(text) > self.left:
            self.lost += len(text or "")
            return ""
        self.left -= len(text)
        return text


def _joined(outputs: object) -> Iterator[dict[str, Any]]:
    """The outputs that are dictionaries; runs of one stream as a single output."""
    parts: list[str] = []
    name = ""
    for output in outputs if isinstance(outputs, list) else []:
        if _kind(output) == "stream":
            here = output.get("name")
            here = here if here in _STREAMS else "stdout"
            if parts and here != name:
                yield {"output_type": "stream", "name": name, "text": "".join(parts)}
                parts = []
            name = here
            parts.append(_text(output.get("text")))
            continue
        if parts:
            yield {"output_type": "stream", "name": name, "text": "".join(parts)}
            parts = []
        if isinstance(output, dict):
            yield output
    if parts:
        yield {"output_type": "stream", "name": name, "text": "".join(parts)}


def _clean_output(
    output: dict[str, Any], allowance: _Allowance
) -> dict[str, Any] | None:
    """One output, or None if nothing of it can be shown."""
    kind = _kind(output)
    if kind == "stream":
        text = allowance.part(clean_text(output["text"]))
        return (
            {"output_type": kind, "name": output["name"], "text": text}
            if text
            else None
        )
    if kind == "error":
        name, value = (
            allowance.part(clean_text(output.get(key))) for key in ("ename", "evalue")
        )
        lines = output.get("traceback")
        lines = lines if isinstance(lines, list) else [lines]
        traceback = allowance.part("\n".join(map(clean_text, lines)))
        error = {"ename": name, "evalue": value, "traceback": [traceback]}
        return {"output_type": kind, **error} if name + value + traceback else None
    if kind not in _BUNDLES or not isinstance(output.get("data"), dict):
        return None
    bundle = output["data"]
    data = {
        "image/png": allowance.whole(clean_png(bundle.get("image/png"))),
        "text/plain": allowance.part(clean_text(bundle.get("text/plain"))),
    }
    data = {mime: content for mime, content in data.items() if content}
    shown: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
    if kind == "execute_result":
        shown["execution_count"] = clean_count(output.get("execution_count"))
    return shown if data else None


def clean_count(value: object) -> int | None:
    """An execution count, which is a small number or unknown."""
    counts = type(value) is int and 0 <= value < 10**9
    return value if counts else None  # type: ignore[return-value]  # counts says so


def _kind(output: object) -> str:
    kind = output.get("output_type") if isinstance(output, dict) else None
    return kind if isinstance(kind, str) else ""


def _text(value: object) -> str:
    """A string or a list of strings as one string that UTF-8 can hold."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode("utf-8")
