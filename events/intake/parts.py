"""A body of several parts: multipart/form-data, /mixed, /x-mixed-replace, as devices write them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from events.intake.unreadable import Unreadable

MOST_PARTS: Final = 64
MOST_HEADERS: Final = 16

_BOUNDARY: Final = re.compile(r"""boundary\s{0,8}=\s{0,8}(?:"([^"]{1,200})"|([^\s;,"]{1,200}))""", re.IGNORECASE)
_FIRST_LINE: Final = re.compile(rb"\s{0,64}--([\x21-\x7e]{1,70})\r\n")

# It warns of every bad byte that a stranger sends; what is wrong is told by the code of the refusal.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Part:
    """One part: the type that it claims in lower case, "" for none, and its bytes."""

    media_type: str
    data: bytes


def is_multipart(body: bytes, content_type: str) -> bool:
    """Whether a body is one of parts: by its type, or by a first line that is a boundary."""
    if content_type.strip().lower().startswith("multipart/"):
        return body.lstrip()[:1] not in (b"<", b"{", b"[")
    return _FIRST_LINE.match(body[:200]) is not None


def read_parts(body: bytes, content_type: str) -> list[Part]:
    """The parts in their order. A body that breaks off keeps the parts that came, the last one cut.

    Where the first line is another boundary than the type names, the body is believed. Raises Unreadable:
    not_multipart, too_many_parts.
    """
    first = _FIRST_LINE.match(body[:200])
    named = _BOUNDARY.search(content_type[:1_000])
    boundary = first[1] if first else (named[1] or named[2]).encode("latin-1", "replace") if named else None
    if boundary is None:
        raise Unreadable("not_multipart", "a type without boundary and no boundary in the first line; want one of both")
    start = body.find(b"--" + boundary)
    if start < 0:
        raise Unreadable("not_multipart", "a boundary that is nowhere in the body; want parts between boundaries")
    collected = _Collector()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collected.begins,
            "on_header_field": collected.names,
            "on_header_value": collected.values,
            "on_header_end": collected.heads,
            "on_headers_finished": collected.opens,
            "on_part_data": collected.data,
        },
        max_header_count=MOST_HEADERS,
    )
    try:
        parser.write(body[start:])
    except FormParserError as error:
        if not collected.parts:
            raise Unreadable("not_multipart", f"{error}; want parts between boundaries") from error
    if not collected.parts:
        raise Unreadable("not_multipart", "a body that breaks off before its first part; want parts between boundaries")
    return [Part(media_type, b"".join(pieces)) for media_type, pieces in collected.parts]


class _Collector:
    def __init__(self) -> None:
        self.parts: list[tuple[str, list[bytes]]] = []
        self._media_type = ""
        self._name = b""
        self._value = b""

    def begins(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise Unreadable("too_many_parts", f"more than {MOST_PARTS} parts; want no more")
        self._media_type = ""

    def names(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def values(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def heads(self) -> None:
        if self._name.strip().lower() == b"content-type":
            self._media_type = self._value.decode("latin-1").split(";")[0].strip().lower()
        self._name = self._value = b""

    def opens(self) -> None:
        self.parts.append((self._media_type, []))

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1][1].append(data[start:end])
