"""The tables `teams` and `team_officers`: named teams of officers beside the beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team of one duty line."""

    code: str
    name: str
    name_en: str
    duty_line: str


_KEEP = Statement(
    Nothing,
    """
    INSERT INTO teams (code, name, name_en, duty_line)
    SELECT code, name, name_en, duty_line
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t (code, name, name_en, duty_line)
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, name_en = excluded.name_en, duty_line = excluded.duty_line
    """,
)

_LEAVE = Statement(Nothing, "DELETE FROM team_officers WHERE team = ANY ($1::text[])")

_JOIN = Statement(
    Nothing,
    """
    INSERT INTO team_officers (team, officer_id)
    SELECT team, officer_id FROM unnest($1::text[], $2::uuid[]) AS m (team, officer_id)
    """,
)


async def keep_teams(conn: Conn, teams: Sequence[Team], members: Mapping[str, Sequence[UUID]]) -> None:
    """Write these teams, and that their officers are `members` (by code) and no others."""
    await _KEEP.run(
        conn,
        [each.code for each in teams],
        [each.name for each in teams],
        [each.name_en for each in teams],
        [each.duty_line for each in teams],
    )
    await _LEAVE.run(conn, [each.code for each in teams])
    joined = [(each.code, officer) for each in teams for officer in members.get(each.code, ())]
    await _JOIN.run(conn, [code for code, _ in joined], [officer for _, officer in joined])
