"""XML from strangers as a small tree: no DTD, no entities, few levels, few elements, names without prefixes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from events.intake.unreadable import Unreadable

MOST_LEVELS: Final = 32
MOST_ELEMENTS: Final = 3_000
MOST_ATTRIBUTES: Final = 64  # of one element; an envelope of Axis declares 45 prefixes

_DECLARATION: Final = re.compile(rb"\s{0,64}<\?xml[^>]{0,200}\?>")
_ENCODING: Final = re.compile(rb"""encoding\s{0,8}=\s{0,8}["']([A-Za-z0-9._-]{1,40})["']""")
_CHINESE: Final = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936"})
_WESTERN: Final = frozenset({"iso-8859-1", "latin1", "windows-1252"})
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(slots=True)
class Node:
    """One element: its name and its attributes' names in lower case and without prefix, its own text joined."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def first(self, *names: str) -> Node | None:
        """The first child with one of these names, in the order of the names."""
        for name in names:
            for child in self.children:
                if child.name == name:
                    return child
        return None

    def value(self, *names: str) -> str | None:
        """The text of the first child with one of these names that has any."""
        for name in names:
            for child in self.children:
                if child.name == name and child.text.strip():
                    return child.text.strip()
        return None

    def everywhere(self, name: str) -> Iterator[Node]:
        """Every element of this name, here and below, in the order of the document."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.name == name:
                yield node
            waiting += reversed(node.children)


def read_xml(body: bytes) -> Node:
    """The root of a document.

    Encodings: UTF-8, UTF-16 with a mark, GB2312, GBK and GB18030, Latin-1. A device that declares GB2312 and
    writes UTF-8, or the other way round, is read by what its bytes are. Raises Unreadable with a code:
    wrong_encoding, dtd_refused, too_deep, too_many_nodes, not_xml.
    """
    written = _letters(body)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    open_nodes: list[Node] = []
    texts: list[list[str]] = []
    roots: list[Node] = []
    seen = 0

    def begins(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        if len(open_nodes) >= MOST_LEVELS:
            raise Unreadable("too_deep", f"elements {len(open_nodes) + 1} deep; want at most {MOST_LEVELS}")
        if seen > MOST_ELEMENTS:
            raise Unreadable("too_many_nodes", f"more than {MOST_ELEMENTS} elements; want no more")
        if len(attributes) > MOST_ATTRIBUTES:
            raise Unreadable("too_many_nodes", f"{len(attributes)} attributes of one element; want at most 64")
        node = Node(_bare(name), {_bare(key): value for key, value in attributes.items()})
        (open_nodes[-1].children if open_nodes else roots).append(node)
        open_nodes.append(node)
        texts.append([])

    def ends(_name: str) -> None:
        open_nodes.pop().text = "".join(texts.pop())

    def says(letters: str) -> None:
        texts[-1].append(letters)

    def refuses(*_given: object) -> None:
        raise Unreadable("dtd_refused", "a document type declaration; want XML without one")

    parser.StartElementHandler = begins
    parser.EndElementHandler = ends
    parser.CharacterDataHandler = says
    parser.StartDoctypeDeclHandler = refuses
    parser.EntityDeclHandler = refuses
    try:
        parser.Parse(written, True)
    except expat.ExpatError as error:
        raise Unreadable("not_xml", f"{expat.ErrorString(error.code)} at line {error.lineno}; want XML") from error
    return roots[0]


def _letters(body: bytes) -> str:
    """The document as text, without a declaration: what it says of bytes is no longer true."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return _undeclared(_decoded(body, encoding))
    head = body[:300]
    declared = _DECLARATION.match(head)
    named = _ENCODING.search(declared[0]) if declared else None
    encoding = named[1].decode("ascii").lower() if named else "utf-8"
    if encoding in _CHINESE:
        return _undeclared(_chinese(body))
    if encoding in _WESTERN:
        return _undeclared(_decoded(body, "cp1252" if encoding == "windows-1252" else "latin-1"))
    if encoding not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise Unreadable("wrong_encoding", f"encoding {encoding!r}; want utf-8, gb2312, gbk or gb18030")
    try:
        return _undeclared(body.decode("utf-8"))
    except UnicodeDecodeError:
        return _undeclared(_decoded(body, "gb18030"))


def _chinese(body: bytes) -> str:
    """Bytes that are declared as GB: UTF-8 all the same where they can be nothing else.

    Every Chinese letter has three bytes in UTF-8. Text in GB that happens to be UTF-8 (漏 would be ©) reads as
    letters of two bytes, which no Chinese device writes.
    """
    try:
        as_utf8 = body.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(body, "gb18030")
    if any("\x7f" < letter < "\u0800" for letter in as_utf8):
        return _decoded(body, "gb18030")
    return as_utf8


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        says = f"bytes that are no {encoding} at {error.start}; want what the head declares"
        raise Unreadable("wrong_encoding", says) from error


def _undeclared(written: str) -> str:
    bare = written.lstrip("\ufeff \t\r\n")
    if bare.startswith("<?xml"):
        end = bare.find("?>")
        bare = bare[end + 2 :] if 0 < end < 300 else bare
    return bare


def _bare(name: str) -> str:
    return name.rsplit(":", 1)[-1].lower()
