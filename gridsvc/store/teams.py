"""The tables `officer_skills`, `teams` and `team_officers`: what officers can do, and the teams they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.roster import Team

KEEP_TEAMS = Statement(
    Nothing,
    """
    INSERT INTO teams (code, name, name_en, duty_line)
    SELECT code, name, name_en, duty_line
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t (code, name, name_en, duty_line)
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, name_en = excluded.name_en, duty_line = excluded.duty_line
     WHERE (teams.name, teams.name_en, teams.duty_line)
           IS DISTINCT FROM (excluded.name, excluded.name_en, excluded.duty_line)
    """,
)

DROP_MEMBERS = Statement(
    Nothing,
    """
    DELETE FROM team_officers t
     WHERE t.officer_id = ANY ($1::uuid[])
       AND NOT EXISTS (SELECT FROM unnest($2::uuid[], $3::text[]) AS k (officer_id, team)
                        WHERE k.officer_id = t.officer_id AND k.team = t.team)
    """,
)

KEEP_MEMBERS = Statement(
    Nothing,
    """
    INSERT INTO team_officers (officer_id, team)
    SELECT officer_id, team
      FROM unnest($1::uuid[], $2::text[]) AS k (officer_id, team)
        ON CONFLICT DO NOTHING
    """,
)

DROP_SKILLS = Statement(
    Nothing,
    """
    DELETE FROM officer_skills s
     WHERE s.officer_id = ANY ($1::uuid[])
       AND NOT EXISTS (SELECT FROM unnest($2::uuid[], $3::text[]) AS k (officer_id, skill)
                        WHERE k.officer_id = s.officer_id AND k.skill = s.skill)
    """,
)

KEEP_SKILLS = Statement(
    Nothing,
    """
    INSERT INTO officer_skills (officer_id, skill)
    SELECT officer_id, skill
      FROM unnest($1::uuid[], $2::text[]) AS k (officer_id, skill)
        ON CONFLICT DO NOTHING
    """,
)


@dataclass(frozen=True)
class TeamView:
    """One team and who is in it."""

    code: str
    name: str
    name_en: str
    duty_line: str
    officers: list[UUID]


ALL = Statement(
    TeamView,
    """
    SELECT t.code, t.name, t.name_en, t.duty_line,
           ARRAY(SELECT m.officer_id FROM team_officers m WHERE m.team = t.code ORDER BY 1) AS officers
      FROM teams t
     WHERE $1::text IS NULL OR t.duty_line = $1::text
     ORDER BY t.code
    """,
)


async def keep_teams(conn: Conn, teams: Sequence[Team]) -> int:
    """Write teams as given; return how many are new or have changed."""
    return await KEEP_TEAMS.run(
        conn, [t.code for t in teams], [t.name for t in teams], [t.name_en for t in teams], [t.duty_line for t in teams]
    )


async def keep_members(conn: Conn, officers: Sequence[UUID], teams_of: Mapping[UUID, Sequence[str]]) -> int:
    """Each of `officers` is afterwards in exactly the teams given for him; return how many rows changed."""
    pairs = [(officer, team) for officer, teams in teams_of.items() for team in teams]
    columns = ([officer for officer, _ in pairs], [team for _, team in pairs])
    return await DROP_MEMBERS.run(conn, list(officers), *columns) + await KEEP_MEMBERS.run(conn, *columns)


async def keep_skills(conn: Conn, officers: Sequence[UUID], skills_of: Mapping[UUID, Sequence[str]]) -> int:
    """Each of `officers` has afterwards exactly the skills given for him; return how many rows changed."""
    pairs = [(officer, skill) for officer, skills in skills_of.items() for skill in skills]
    columns = ([officer for officer, _ in pairs], [skill for _, skill in pairs])
    return await DROP_SKILLS.run(conn, list(officers), *columns) + await KEEP_SKILLS.run(conn, *columns)
