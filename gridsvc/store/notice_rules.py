"""The tables `notice_rules` and `quiet_defaults` as a city reads and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.notice import Hours, NoticeRules
from gridsvc.domain.notice_file import QuietDefault
from gridsvc.store import channels
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class _RulesRow:
    digest_most: int
    digest_window_s: int
    undigested_severities: list[str]
    loud_severities: list[str]
    loud_effects: list[str]


_RULES = Statement(
    _RulesRow,
    "SELECT digest_most, digest_window_s, undigested_severities, loud_severities, loud_effects FROM notice_rules",
)


@dataclass(frozen=True)
class _DefaultRow:
    role: str
    division_code: str | None
    from_time: time
    until_time: time


_DEFAULTS = Statement(
    _DefaultRow,
    """
    SELECT role, division_code, from_time, until_time
      FROM quiet_defaults
     ORDER BY role, division_code NULLS FIRST
    """,
)

_SET_RULES = Statement(
    Nothing,
    """
    UPDATE notice_rules
       SET digest_most = $1::integer, digest_window_s = $2::integer, undigested_severities = $3::text[],
           loud_severities = $4::text[], loud_effects = $5::text[]
    """,
)

_CLEAR_DEFAULTS = Statement(Nothing, "DELETE FROM quiet_defaults")

_ADD_DEFAULTS = Statement(
    Nothing,
    """
    INSERT INTO quiet_defaults (role, division_code, from_time, until_time)
    SELECT role, division_code, from_time, until_time
      FROM json_to_recordset($1::text::json) AS r (role text, division_code text, from_time time, until_time time)
    """,
)


@dataclass(frozen=True)
class _Code:
    code: str


_DIVISIONS = Statement(_Code, "SELECT code FROM divisions WHERE grid_set_id = grid_set_at($1::timestamptz)")


async def read(conn: Conn) -> tuple[NoticeRules, list[QuietDefault]]:
    """The city's rules, and its quiet hours by role."""
    row = await _RULES.one(conn)
    assert row is not None  # noqa: S101 - one row from the beginning
    rules = NoticeRules(
        digest_most=row.digest_most,
        digest_window=timedelta(seconds=row.digest_window_s),
        undigested_severities=frozenset(row.undigested_severities),
        loud_severities=frozenset(row.loud_severities),
        loud_effects=frozenset(row.loud_effects),
        reach=await channels.rules(conn),
    )
    defaults = [
        QuietDefault(role=each.role, division=each.division_code, hours=Hours(each.from_time, each.until_time))
        for each in await _DEFAULTS.all(conn)
    ]
    return rules, defaults


async def replace(conn: Conn, rules: NoticeRules, defaults: Sequence[QuietDefault]) -> None:
    """These and no others."""
    await _SET_RULES.run(
        conn, rules.digest_most, int(rules.digest_window.total_seconds()), sorted(rules.undigested_severities),
        sorted(rules.loud_severities), sorted(rules.loud_effects),
    )  # fmt: skip
    await channels.replace_rules(conn, rules.reach)
    await _CLEAR_DEFAULTS.run(conn)
    await _ADD_DEFAULTS.run(
        conn,
        rows_text(
            [
                {"role": each.role, "division_code": each.division, "from_time": each.hours.since,
                 "until_time": each.hours.until}
                for each in defaults
            ]
        ),
    )  # fmt: skip


async def divisions(conn: Conn, now: datetime) -> frozenset[str]:
    """The codes that a file may name."""
    return frozenset(row.code for row in await _DIVISIONS.all(conn, now))
