"""Why bytes cannot be read at all: raised by the readers of XML, JSON and parts, told by the parsers as Refused."""

from __future__ import annotations

from typing import Final

_MOST_SAID: Final = 300  # letters; a reader tells the whole path to a fault


class Unreadable(ValueError):
    """`code` is stable and for programs; the message says what was given and what is wanted."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code
        self.says = says if len(says) <= _MOST_SAID else says[: _MOST_SAID - 1] + "…"


def check_size(body: bytes, most: int) -> None:
    """Raises Unreadable where a message is larger than its protocol's limit, or empty."""
    if len(body) > most:
        raise Unreadable("too_large", f"{len(body)} bytes; want at most {most}")
    if not body.strip():
        raise Unreadable("empty", "no bytes; want a message")
