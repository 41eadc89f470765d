"""Text of strangers, for messages and for files."""

import re
import reprlib

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def shown(value: object, length: int = 60) -> str:
    """Foreign text as it may stand in a message: printable and short.

    Args:
        value: a string, or anything else that JSON can hold.
        length: how many characters are shown at most.
    """
    text = value if isinstance(value, str) else reprlib.repr(value)
    short = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(c if c.isprintable() else "\ufffd" for c in short)


def text_of(source: str | list[str]) -> str:
    """The text of a cell, which UTF-8 can hold: JSON can hold half a character."""
    text = source if isinstance(source, str) else "".join(source)
    return _LONE_SURROGATE.sub("\ufffd", text)
