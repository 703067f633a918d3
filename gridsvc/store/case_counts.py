"""How many cases each cell and division has, by who may see them: added up from what the trigger of cases notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gridsvc.db import Conn, Nothing, Statement

_LOCK: Final = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtext('gridsvc.case_counts'))")

_KNOW_AUDIENCES: Final = Statement(
    Nothing,
    """
    INSERT INTO case_audiences (digest, keys)
    SELECT DISTINCT ON (1) md5(array_to_string(keys, ',')), keys
      FROM (SELECT keys FROM case_count_changes ORDER BY id LIMIT $1::integer) c
        ON CONFLICT (digest) DO NOTHING
    """,
)


@dataclass(frozen=True)
class _Folded:
    changes: int


# What came in between has no audience yet, and waits for the next time.
_FOLD: Final = Statement(
    _Folded,
    """
    WITH next AS (
      SELECT c.id, a.id AS audience_id
        FROM (SELECT id, keys FROM case_count_changes ORDER BY id LIMIT $1::integer) c
        JOIN case_audiences a ON a.digest = md5(array_to_string(c.keys, ','))
    ), taken AS (
      DELETE FROM case_count_changes c
       USING next
       WHERE c.id = next.id
      RETURNING c.cell_code, c.divisions, c.divisions[array_upper(c.divisions, 1)] AS division_code, next.audience_id,
                c.cases
    ), by_cell AS (
      INSERT INTO cell_counts AS k (cell_code, division_code, audience_id, cases)
      SELECT cell_code, division_code, audience_id, sum(cases)
        FROM taken
       GROUP BY cell_code, division_code, audience_id
      HAVING sum(cases) <> 0
          ON CONFLICT (cell_code, division_code, audience_id) DO UPDATE
         SET cases = k.cases + excluded.cases
    ), by_division AS (
      INSERT INTO division_counts AS k (division_code, audience_id, divisions, cases)
      SELECT division_code, audience_id, max(divisions), sum(cases)
        FROM taken
       GROUP BY division_code, audience_id
      HAVING sum(cases) <> 0
          ON CONFLICT (division_code, audience_id) DO UPDATE
         SET cases = k.cases + excluded.cases
    )
    SELECT count(*)::integer AS changes FROM taken
    """,
)


async def fold(conn: Conn, most: int) -> int:
    """Add up to `most` noted changes to the counters, the oldest first; return how many. One transaction at a time."""
    await _LOCK.run(conn)
    await _KNOW_AUDIENCES.run(conn, most)
    folded = await _FOLD.one(conn, most)
    return 0 if folded is None else folded.changes
