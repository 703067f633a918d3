"""JSON from strangers: strict, with limits of depth and of size; and the same as a tree of elements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from events.intake.unreadable import Unreadable
from events.intake.xml_tree import MOST_ELEMENTS, MOST_LEVELS, Node

MOST_NAME: Final = 64
MOST_VALUES: Final = 100_000  # counted by commas, colons and brackets before anything is made of them

_STRUCTURE: Final = b",:[{"


def read_json(body: bytes) -> Any:
    """What a body says: objects, lists, text, numbers, true, false, null.

    UTF-8 with or without a mark, else GB18030. Raises Unreadable: too_many_nodes, too_deep, wrong_encoding, not_json.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    marks = marks_in(body)
    if marks > MOST_VALUES:
        raise Unreadable("too_many_nodes", f"{marks} commas, colons and brackets; want at most {MOST_VALUES}")
    try:
        written = body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            written = body.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Unreadable("wrong_encoding", f"bytes that are no UTF-8 at {error.start}; want UTF-8") from error
    try:
        value = msgspec.json.decode(written)
    except RecursionError as error:
        raise Unreadable("too_deep", f"lists and objects too deep; want at most {MOST_LEVELS} levels") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Unreadable("not_json", f"{error}; want JSON") from error
    if _deeper_than(value, MOST_LEVELS):
        raise Unreadable("too_deep", f"lists and objects too deep; want at most {MOST_LEVELS} levels")
    return value


def marks_in(body: bytes) -> int:
    """How many commas, colons and opening brackets: at least as many as there are values."""
    return len(body) - len(body.translate(None, _STRUCTURE))


def as_tree(value: Any) -> Node:
    """JSON as elements, so that one reader serves devices that write the same message both ways.

    A list is as many elements of its name. Raises Unreadable too_many_nodes.
    """
    root = Node("")
    waiting = [(root, value)]
    made = 0
    while waiting:
        node, inside = waiting.pop()
        if not isinstance(inside, dict):
            node.text = _as_text(inside)
            continue
        for name, each in inside.items():
            for one in each if isinstance(each, list) else [each]:
                made += 1
                if made > MOST_ELEMENTS:
                    raise Unreadable("too_many_nodes", f"more than {MOST_ELEMENTS} values; want no more")
                child = Node(name[:MOST_NAME].lower())
                node.children.append(child)
                waiting.append((child, one))
    return root


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**30:
        return ""
    return str(value) if isinstance(value, str | int | float) else ""


def _deeper_than(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [inside for each in level for inside in _inside(each) if isinstance(inside, dict | list)]
        if not level:
            return False
    return True


def objects(value: Any) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
