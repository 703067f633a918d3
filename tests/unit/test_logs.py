"""A line of the log: JSON, a fixed action, ids, and never a resident's words."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import asyncpg
import pytest

from gridsvc.db import Conn
from gridsvc.logs import JsonLines

WORDS = "王女士 13900000000"


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("test of lines")
    log.addHandler(handler)
    log.propagate = False
    yield log, written
    log.removeHandler(handler)


def test_a_line_is_json_with_its_action_and_ids(lines: tuple[logging.Logger, io.StringIO]) -> None:
    log, written = lines
    log.warning("rungs fired", extra={"action": "rungs_fired", "rungs": 3})
    line = json.loads(written.getvalue())
    assert (line["level"], line["action"], line["text"], line["rungs"]) == ("warning", "rungs_fired", "rungs fired", 3)


def test_an_error_is_told_by_its_classes_and_lines_not_by_its_words(
    lines: tuple[logging.Logger, io.StringIO],
) -> None:
    log, written = lines

    def fail(words: str) -> None:
        try:
            raise KeyError(words)
        except KeyError as cause:
            raise ValueError(words) from cause

    try:
        fail(WORDS)
    except ValueError:
        log.exception("request failed", extra={"action": "request_failed"})
    line = json.loads(written.getvalue())
    assert [word for word in line["error"].split() if word.startswith("builtins.")] == [
        "builtins.KeyError",
        "builtins.ValueError",
    ]
    assert "test_logs.py" in line["error"]
    assert WORDS not in written.getvalue()


async def test_a_row_that_the_database_refuses_is_not_written_into_the_log(
    conn: Conn, lines: tuple[logging.Logger, io.StringIO]
) -> None:
    log, written = lines
    with pytest.raises(asyncpg.CheckViolationError, match=WORDS) as refused:  # PostgreSQL says the row
        await conn.execute("INSERT INTO duty_lines VALUES ('x', $1, '', 'no profile')", WORDS)
    log.error("request failed", exc_info=refused.value, extra={"action": "request_failed"})
    line = json.loads(written.getvalue())
    assert "CheckViolationError 23514 duty_lines duty_lines_profile_check\n" in line["error"]
    assert WORDS not in written.getvalue()
