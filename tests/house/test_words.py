"""What no line of the project may hold: a resident's words in a log, one machine's paths, what is left for later."""

from __future__ import annotations

import ast
import logging
import re

import asyncpg
import pytest

from gridsvc.db import Conn
from gridsvc.logs import ACTIONS, JsonLines
from tests.house.source import ROOT, kept_files, modules, parsed

# Ids, counts, kinds and moments. A name, phone, address, description or token has no key to stand under.
MAY_BE_LOGGED = {
    "account_id", "action", "age_s", "at_line", "attachment_id", "attachments", "attempts", "by", "calendar", "caller",
    "camera", "cameras", "case_id", "cases",
    "clock", "clocks", "code", "day", "dropped", "error", "errors", "event_id",
    "host", "incident", "incidents", "kinds", "letters", "look", "made", "message_id", "messages", "notices", "offline",
    "online", "opening_id", "original", "part", "pictures", "port", "protocol", "queue", "report_id",
    "round", "route", "rows", "rungs", "session_id", "type", "uploads", "user_id", "verdict", "why",
}  # fmt: skip

LOGGED = {"debug", "info", "warning", "error", "exception", "critical"}


def test_what_a_log_line_carries_is_on_the_list() -> None:
    strangers = {
        f"{name}: {key}"
        for name, path in modules().items()
        for given in _extras(parsed(path))
        for key in _keys(given)
        if key not in MAY_BE_LOGGED
    }
    assert strangers == set()


def test_every_log_line_names_an_action_of_the_list_and_every_action_is_used() -> None:
    used = set()
    for path in modules().values():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ACTIONS:
                used.add((path.name, node.value))
    named = {action for file, action in used if file != "logs.py"}
    assert set(ACTIONS) - named == set(), "in gridsvc/logs.py, and nobody logs it"
    strangers = [
        f"{name} line {given.lineno}: {key.value!r}"
        for name, path in modules().items()
        for given in _extras(parsed(path))
        if isinstance(given, ast.Dict)
        for key in [_value_of(given, "action")]
        if isinstance(key, ast.Constant) and key.value not in ACTIONS
    ]
    assert strangers == []


def test_every_log_line_has_an_extra() -> None:
    bare = [
        f"{name} line {node.lineno}"
        for name, path in modules().items()
        for node in ast.walk(parsed(path))
        if _is_log_call(node) and isinstance(node, ast.Call) and not any(k.arg == "extra" for k in node.keywords)
    ]
    assert bare == []


def test_the_text_of_a_log_line_is_fixed() -> None:
    """A word that varies belongs into `extra` where it is checked; a text may hold a class's name, no more."""
    free = []
    for name, path in modules().items():
        for node in ast.walk(parsed(path)):
            if not (_is_log_call(node) and isinstance(node, ast.Call)):
                continue
            text, *words = node.args
            fixed = isinstance(text, ast.Constant)
            only_classes = all(ast.unparse(word).endswith(".__name__") for word in words)
            if not (fixed and only_classes):
                free.append(f"{name} line {node.lineno}: {ast.unparse(node)[:80]}")
    assert free == []


async def test_a_rejected_row_does_not_reach_the_log(conn: Conn) -> None:
    """PostgreSQL tells the whole row that broke a CHECK: a name, a telephone number, whatever was typed."""
    name, phone = " ".join(["Zhang", "San"]), "".join(["138", "1234", "5678"])
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await conn.execute(
            "INSERT INTO users (id, username, display_name) VALUES (gen_random_uuid(), $1, $2)", name, phone
        )
    assert phone in str(refused.value), "the example no longer shows what it is about"
    group = ExceptionGroup("two went wrong", [ValueError(phone)])
    group.__cause__ = refused.value
    line = JsonLines().format(
        logging.LogRecord("test", logging.ERROR, "", 0, "request failed", None, (type(group), group, None))
    )
    assert phone not in line
    assert name not in line
    for told in ("CheckViolationError", "ExceptionGroup", "ValueError", "test_words.py"):
        assert told in line


# Put together here, so that this page does not find itself.
MACHINE = re.compile(r"(?<![\w.<{$\"'*-])/(?:work" + r"|root|home/\w+|Users/\w+)" + r"/[\w.-]+")
LEFT_FOR_LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def test_nothing_names_a_folder_of_one_machine() -> None:
    assert _lines_with(MACHINE) == []


def test_nothing_is_left_for_later_in_the_text() -> None:
    assert _lines_with(LEFT_FOR_LATER) == []


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in kept_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, an archive: no text
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def _is_log_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOGGED
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"log", "logger"}
    )


def _extras(tree: ast.AST) -> list[ast.expr]:
    """What is given as `extra` in one file, names resolved to what they were assigned."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    given: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "extra":
            for value in assigned.get(node.value.id, []) if isinstance(node.value, ast.Name) else [node.value]:
                given.append(value)
                given += _spread(value, assigned)
    return given


def _spread(given: ast.expr, assigned: dict[str, list[ast.expr]]) -> list[ast.expr]:
    """The dictionaries behind `**name` and `**function(…)`."""
    found: list[ast.expr] = []
    if not isinstance(given, ast.Dict):
        return found
    for key, value in zip(given.keys, given.values, strict=True):
        if key is None and isinstance(value, ast.Name):
            found += assigned.get(value.id, [value])
        elif key is None and isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            found += _returned_by(value.func.id) or [value]
        elif key is None:
            found.append(value)
    return found


def _returned_by(function: str) -> list[ast.expr]:
    return [
        node.value
        for path in modules().values()
        for made in ast.walk(parsed(path))
        if isinstance(made, ast.FunctionDef) and made.name == function
        for node in ast.walk(made)
        if isinstance(node, ast.Return) and node.value is not None
    ]


def _keys(given: ast.expr) -> list[str]:
    if not isinstance(given, ast.Dict):
        return [f"extra is no dictionary that can be read here: {ast.unparse(given)}"]
    return [str(key.value) for key in given.keys if isinstance(key, ast.Constant)]


def _value_of(given: ast.Dict, wanted: str) -> ast.expr | None:
    for key, value in zip(given.keys, given.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == wanted:
            return value
    return None
