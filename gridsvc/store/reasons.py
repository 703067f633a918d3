"""The table `reasons`: why a move is made, in a city's own codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.reason_file import OwnReason
from gridsvc.domain.reasons import Reason, Reasons
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class _Row:
    move: str
    code: str
    name: str
    name_en: str
    wants_words: bool
    active: bool


_ALL = Statement(_Row, "SELECT move, code, name, name_en, wants_words, active FROM reasons ORDER BY move, code")

# What is there keeps its meaning: only whether it is in use is changed.
_KEEP = Statement(
    Nothing,
    """
    INSERT INTO reasons AS known (move, code, name, name_en, wants_words, active)
    SELECT move, code, name, name_en, wants_words, active
      FROM json_to_recordset($1::text::json) AS r (
           move text, code text, name text, name_en text, wants_words boolean, active boolean)
        ON CONFLICT (move, code) DO UPDATE SET active = excluded.active
     WHERE known.active <> excluded.active
    """,
)


async def of_city(conn: Conn) -> Reasons:
    """The city's own reasons by move, in the order of their codes."""
    found: dict[str, list[Reason]] = defaultdict(list)
    for row in await _ALL.all(conn):
        found[row.move].append(Reason(row.code, row.name, row.name_en, row.wants_words, row.active))
    return {move: tuple(reasons) for move, reasons in found.items()}


async def keep(conn: Conn, rows: Sequence[OwnReason]) -> int:
    """Keep new reasons, and switch those that are there; how many rows that changed."""
    return await _KEEP.run(conn, rows_text([vars(row) for row in rows])) if rows else 0
