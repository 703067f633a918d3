"""Officers and departments: who walks which beat, who is free for a case, and writing them from an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.candidates import Candidate
from gridsvc.domain.roster import Department, Known, Person, Post
from gridsvc.domain.shift import Shift
from gridsvc.store import duty, teams


@dataclass(frozen=True)
class _Candidate:
    ordinal: int
    officer_id: UUID
    on_duty: bool
    open_cases: int
    most_open: int
    distance_m: float | None
    position_age: timedelta | None
    already_tried: bool
    skills: list[str]


# The case itself does not count as work in hand of the officer who is about to lose it.
CANDIDATES = Statement(
    _Candidate,
    """
    SELECT w.ordinal::integer AS ordinal,
           o.user_id AS officer_id,
           o.on_duty AND u.active AS on_duty,
           (SELECT count(*)::integer
              FROM cases c
             WHERE c.officer_id = o.user_id
               AND c.state IN ('assigned', 'accepted', 'in_progress')
               AND c.id <> w.case_id) AS open_cases,
           o.most_open,
           ST_Distance(p.place::geography,
                       ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4326)::geography) AS distance_m,
           $8::timestamptz - p.taken_at AS position_age,
           EXISTS (SELECT
                     FROM assignments a
                    WHERE a.case_id = w.case_id
                      AND a.cycle = w.cycle
                      AND a.officer_id = o.user_id
                      AND a.ended_why IN ('unacknowledged', 'returned')) AS already_tried,
           ARRAY(SELECT s.skill FROM officer_skills s WHERE s.officer_id = o.user_id ORDER BY s.skill) AS skills
      FROM unnest($1::integer[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::uuid[], $7::integer[],
                  $9::text[])
           WITH ORDINALITY AS w (grid_set_id, duty_line, beat_code, lon, lat, case_id, cycle, team, ordinal)
           CROSS JOIN LATERAL (
             SELECT ob.officer_id
               FROM beats b
                    JOIN officer_beats ob ON ob.duty_line = b.duty_line AND ob.beat_code = b.code
              WHERE b.grid_set_id = w.grid_set_id AND b.duty_line = w.duty_line AND b.code = w.beat_code
             UNION ALL   -- a vacancy looks in a beat or in a team, never in both
             SELECT m.officer_id
               FROM team_officers m
              WHERE m.team = w.team
           ) AS of
           JOIN officers o ON o.user_id = of.officer_id AND o.duty_line = w.duty_line
           JOIN users u ON u.id = o.user_id
           LEFT JOIN officer_positions p ON p.officer_id = o.user_id
     ORDER BY w.ordinal, o.user_id
    """,
)


@dataclass(frozen=True, kw_only=True)
class Vacancy:
    """A case that looks for an owner among the officers of its beat, or of a team who are of its duty line.

    `place` is lon, lat in WGS-84 degrees.
    """

    grid_set_id: int | None
    duty_line: str
    beat_code: str | None  # None: in a team
    place: tuple[float, float] | None
    case_id: UUID
    cycle: int
    team: str | None = None


async def candidates(conn: Conn, vacancies: Sequence[Vacancy], now: datetime) -> list[list[Candidate]]:
    """For each vacancy every officer of its beat or team with what routing weighs, by id, in two round trips for all.

    Distances are metres on the ellipsoid, None without a place or a known position. Officers off duty are
    among them, so that the choice can say why they lost. Sees all cases only as SERVICE: under a caller's
    scope `open_cases` would count too few.
    """
    found: list[list[Candidate]] = [[] for _ in vacancies]
    if not vacancies:
        return found
    places = [each.place or (None, None) for each in vacancies]
    rows = await CANDIDATES.all(
        conn,
        [each.grid_set_id for each in vacancies],
        [each.duty_line for each in vacancies],
        [each.beat_code for each in vacancies],
        [lon for lon, _ in places],
        [lat for _, lat in places],
        [each.case_id for each in vacancies],
        [each.cycle for each in vacancies],
        now,
        [each.team for each in vacancies],
    )
    standing = await duty.standings(conn, [row.officer_id for row in rows], now, counted=True)
    for row in rows:
        his = standing[row.officer_id].duty
        found[row.ordinal - 1].append(
            Candidate(
                officer_id=row.officer_id,
                on_duty=row.on_duty,
                open_cases=row.open_cases,
                most_open=row.most_open,
                distance_m=row.distance_m,
                position_age=row.position_age,
                already_tried=row.already_tried,
                skills=frozenset(row.skills),
                on_shift=his.on_shift,
                overtime=his.overtime,
                absent=his.absent_until is not None,
                shift_ends_in=None if his.shift_ends_at is None else his.shift_ends_at - now,
                leaves_soon=his.leaves_soon,
                given_today=standing[row.officer_id].given_today,
            )
        )
    return found


@dataclass(frozen=True)
class _OnDuty:
    officer_id: UUID
    duty_changed_at: datetime | None
    weekdays: list[int]
    starts: list[time]
    ends: list[time]


@dataclass(frozen=True, kw_only=True)
class OnDuty:
    """An officer whose switch is on, with the roster."""

    officer_id: UUID
    switched_at: datetime | None
    shifts: tuple[Shift, ...]


ON_DUTY = Statement(
    _OnDuty,
    """
    SELECT o.user_id AS officer_id, o.duty_changed_at,
           array_agg(s.weekday ORDER BY s.weekday, s.starts_at) AS weekdays,
           array_agg(s.starts_at ORDER BY s.weekday, s.starts_at) AS starts,
           array_agg(s.ends_at ORDER BY s.weekday, s.starts_at) AS ends
      FROM officers o
           JOIN shifts s ON s.officer_id = o.user_id   -- without a roster nobody is switched off
     WHERE o.on_duty
     GROUP BY o.user_id
     ORDER BY o.user_id
    """,
)


async def on_duty(conn: Conn) -> list[OnDuty]:
    """Officers whose switch is on and who have shifts, by id."""
    return [
        OnDuty(
            officer_id=row.officer_id,
            switched_at=row.duty_changed_at,
            shifts=tuple(map(Shift, row.weekdays, row.starts, row.ends)),
        )
        for row in await ON_DUTY.all(conn)
    ]


@dataclass(frozen=True)
class _Officer:
    officer_id: UUID


# The switch must still stand as it was read: an officer who touched it meanwhile has the last word.
# Locked in the order of ids, as weakly as an update does (an assignment that names the officer need not wait), and
# not waited for: the next round sees whoever another sweeper holds.
END_DUTY = Statement(
    _Officer,
    """
    WITH still AS MATERIALIZED (
      SELECT o.user_id
        FROM officers o
             JOIN unnest($1::uuid[], $2::timestamptz[]) AS seen (officer_id, switched_at)
               ON seen.officer_id = o.user_id
              AND seen.switched_at IS NOT DISTINCT FROM o.duty_changed_at
       WHERE o.on_duty
       ORDER BY o.user_id
         FOR NO KEY UPDATE OF o SKIP LOCKED
    )
    UPDATE officers
       SET on_duty = false, duty_changed_at = $3::timestamptz
      FROM still
     WHERE officers.user_id = still.user_id
    RETURNING officers.user_id AS officer_id
    """,
)


async def end_duty(conn: Conn, officers: Sequence[OnDuty], now: datetime) -> list[UUID]:
    """Switch off those whose switch has not moved since it was read; return them, sorted."""
    if not officers:
        return []
    rows = await END_DUTY.all(conn, [o.officer_id for o in officers], [o.switched_at for o in officers], now)
    return sorted(row.officer_id for row in rows)


@dataclass(frozen=True)
class _Zone:
    zone: str


ZONE = Statement(_Zone, "SELECT zone FROM instance")


async def city_zone(conn: Conn) -> str:
    """The IANA name of the city's civil time."""
    row = await ZONE.one(conn)
    assert row is not None  # noqa: S101 - the table has one row by constraint
    return row.zone


@dataclass(frozen=True)
class _Known:
    duty_lines: list[str]
    departments: list[str]
    division_codes: list[str]
    division_paths: list[list[str]]
    beat_lines: list[str]
    beat_codes: list[str]
    beat_divisions: list[str]
    team_codes: list[str]
    team_lines: list[str]


# Paths travel as JSON: PostgreSQL's arrays cannot hold rows of different lengths.
KNOWN = Statement(
    _Known,
    """
    SELECT ARRAY(SELECT code FROM duty_lines ORDER BY code) AS duty_lines,
           ARRAY(SELECT code FROM departments ORDER BY code) AS departments,
           ARRAY(SELECT code FROM divisions WHERE grid_set_id = s.id ORDER BY code) AS division_codes,
           (SELECT coalesce(jsonb_agg(to_jsonb(path) ORDER BY code), '[]')
              FROM divisions WHERE grid_set_id = s.id) AS division_paths,
           ARRAY(SELECT duty_line FROM beats WHERE grid_set_id = s.id ORDER BY duty_line, code) AS beat_lines,
           ARRAY(SELECT code FROM beats WHERE grid_set_id = s.id ORDER BY duty_line, code) AS beat_codes,
           ARRAY(SELECT division_code FROM beats WHERE grid_set_id = s.id ORDER BY duty_line, code) AS beat_divisions,
           ARRAY(SELECT code FROM teams ORDER BY code) AS team_codes,
           ARRAY(SELECT duty_line FROM teams ORDER BY code) AS team_lines
      FROM (SELECT grid_set_at($1::timestamptz) AS id) s
    """,
)


async def known(conn: Conn, now: datetime) -> Known:
    """What an import may name: duty lines, departments, teams, and divisions and beats of the set in force."""
    row = await KNOWN.one(conn, now)
    assert row is not None  # noqa: S101 - one row by construction
    return Known(
        duty_lines=frozenset(row.duty_lines),
        departments=frozenset(row.departments),
        divisions={code: tuple(path) for code, path in zip(row.division_codes, row.division_paths, strict=True)},
        beats={
            (line, code): division
            for line, code, division in zip(row.beat_lines, row.beat_codes, row.beat_divisions, strict=True)
        },
        teams=dict(zip(row.team_codes, row.team_lines, strict=True)),
    )


@dataclass(frozen=True)
class _User:
    username: str
    id: UUID
    has_password: bool


USERS = Statement(
    _User,
    """
    SELECT username, id, password_hash IS NOT NULL AS has_password
      FROM users
     WHERE username = ANY ($1::text[])
    """,
)


@dataclass(frozen=True)
class KnownUser:
    """Somebody who is kept already."""

    id: UUID
    has_password: bool


async def known_users(conn: Conn, usernames: Sequence[str]) -> dict[str, KnownUser]:
    """Those of `usernames` that exist."""
    return {row.username: KnownUser(row.id, row.has_password) for row in await USERS.all(conn, usernames)}


KEEP_DEPARTMENTS = Statement(
    Nothing,
    """
    INSERT INTO departments (code, name, name_en, duty_line)
    SELECT code, name, name_en, duty_line
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS d (code, name, name_en, duty_line)
        ON CONFLICT (code) DO UPDATE
       SET name = excluded.name, name_en = excluded.name_en, duty_line = excluded.duty_line
     WHERE (departments.name, departments.name_en, departments.duty_line)
           IS DISTINCT FROM (excluded.name, excluded.name_en, excluded.duty_line)
    """,
)

# A password that is there is never overwritten: the file holds initial ones.
KEEP_USERS = Statement(
    Nothing,
    """
    INSERT INTO users (id, username, display_name, password_hash, created_at)
    SELECT id, username, display_name, password_hash, $5::timestamptz
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS p (id, username, display_name, password_hash)
        ON CONFLICT (username) DO UPDATE
       SET display_name = excluded.display_name,
           password_hash = coalesce(users.password_hash, excluded.password_hash)
     WHERE users.display_name <> excluded.display_name
        OR (users.password_hash IS NULL AND excluded.password_hash IS NOT NULL)
    """,
)

DROP_GRANTS = Statement(
    Nothing,
    """
    DELETE FROM grants g
     WHERE g.user_id = ANY ($1::uuid[])
       AND NOT EXISTS (
             SELECT FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
                         AS k (user_id, role, division_code, department, duty_line)
              WHERE (k.user_id, k.role, k.division_code) = (g.user_id, g.role, g.division_code)
                AND k.department IS NOT DISTINCT FROM g.department
                AND k.duty_line IS NOT DISTINCT FROM g.duty_line)
    """,
)

KEEP_GRANTS = Statement(
    Nothing,
    """
    INSERT INTO grants (user_id, role, division_code, department, duty_line)
    SELECT user_id, role, division_code, department, duty_line
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
           AS k (user_id, role, division_code, department, duty_line)
        ON CONFLICT DO NOTHING
    """,
)

# Assignments point at officers for ever, so one who is none any more stays as a row: off duty, without beats.
RETIRE_OFFICERS = Statement(
    _Officer,
    """
    UPDATE officers
       SET on_duty = false, duty_changed_at = $3::timestamptz
     WHERE user_id = ANY ($1::uuid[])
       AND user_id <> ALL ($2::uuid[])
       AND on_duty
    RETURNING user_id AS officer_id
    """,
)

KEEP_OFFICERS = Statement(
    Nothing,
    """
    INSERT INTO officers (user_id, duty_line, most_open)
    SELECT user_id, duty_line, most_open
      FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS o (user_id, duty_line, most_open)
        ON CONFLICT (user_id) DO UPDATE
       SET duty_line = excluded.duty_line, most_open = excluded.most_open
     WHERE (officers.duty_line, officers.most_open) IS DISTINCT FROM (excluded.duty_line, excluded.most_open)
    """,
)

DROP_BEATS = Statement(
    Nothing,
    """
    DELETE FROM officer_beats b
     WHERE b.officer_id = ANY ($1::uuid[])
       AND NOT EXISTS (
             SELECT FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k (officer_id, duty_line, beat_code)
              WHERE (k.officer_id, k.duty_line, k.beat_code) = (b.officer_id, b.duty_line, b.beat_code))
    """,
)

KEEP_BEATS = Statement(
    Nothing,
    """
    INSERT INTO officer_beats (officer_id, duty_line, beat_code)
    SELECT officer_id, duty_line, beat_code
      FROM unnest($1::uuid[], $2::text[], $3::text[]) AS k (officer_id, duty_line, beat_code)
        ON CONFLICT DO NOTHING
    """,
)

DROP_SHIFTS = Statement(
    Nothing,
    """
    DELETE FROM shifts s
     WHERE s.officer_id = ANY ($1::uuid[])
       AND NOT EXISTS (
             SELECT FROM unnest($2::uuid[], $3::smallint[], $4::time[], $5::time[])
                         AS k (officer_id, weekday, starts_at, ends_at)
              WHERE (k.officer_id, k.weekday, k.starts_at, k.ends_at)
                    = (s.officer_id, s.weekday, s.starts_at, s.ends_at))
    """,
)

KEEP_SHIFTS = Statement(
    Nothing,
    """
    INSERT INTO shifts (officer_id, weekday, starts_at, ends_at)
    SELECT officer_id, weekday, starts_at, ends_at
      FROM unnest($1::uuid[], $2::smallint[], $3::time[], $4::time[]) AS k (officer_id, weekday, starts_at, ends_at)
        ON CONFLICT DO NOTHING
    """,
)


async def keep_departments(conn: Conn, departments: Sequence[Department]) -> int:
    """Write departments as given; return how many are new or have changed."""
    return await KEEP_DEPARTMENTS.run(
        conn,
        [d.code for d in departments],
        [d.name for d in departments],
        [d.name_en for d in departments],
        [d.duty_line for d in departments],
    )


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """One person to write: the id to use, and the hash of an initial password or None."""

    id: UUID
    person: Person
    password_hash: str | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What writing people did: how many rows it changed, and which officers it took off duty."""

    changes: int
    off_duty: tuple[UUID, ...]


async def keep_people(conn: Conn, keeping: Sequence[Keeping], now: datetime) -> Kept:
    """Write people with their roles, beats, shifts, skills and teams exactly as given.

    No changes when all of it was so before. Nobody who is not in `keeping` is touched.
    """
    ids = [k.id for k in keeping]
    names, shown = [k.person.username for k in keeping], [k.person.display_name for k in keeping]
    users = await KEEP_USERS.run(conn, ids, names, shown, [k.password_hash for k in keeping], now)
    grants = await _keep_grants(conn, ids, keeping)
    posts = {k.id: k.person.post for k in keeping if k.person.post is not None}
    retired = await RETIRE_OFFICERS.all(conn, ids, list(posts), now)
    changes = users + grants + await _keep_posts(conn, ids, posts)
    return Kept(changes=changes + len(retired), off_duty=tuple(sorted(row.officer_id for row in retired)))


async def _keep_grants(conn: Conn, ids: Sequence[UUID], keeping: Sequence[Keeping]) -> int:
    held = [(k.id, grant) for k in keeping for grant in k.person.grants]
    columns = (
        [user_id for user_id, _ in held],
        [str(grant.role) for _, grant in held],
        [grant.division for _, grant in held],
        [grant.department for _, grant in held],
        [grant.duty_line for _, grant in held],
    )
    return await DROP_GRANTS.run(conn, ids, *columns) + await KEEP_GRANTS.run(conn, *columns)


async def _keep_posts(conn: Conn, ids: Sequence[UUID], posts: Mapping[UUID, Post]) -> int:
    beats = [(officer, post.duty_line, beat) for officer, post in posts.items() for beat in post.beats]
    shifts = [(officer, shift) for officer, post in posts.items() for shift in post.shifts]
    beat_columns = ([o for o, _, _ in beats], [line for _, line, _ in beats], [beat for _, _, beat in beats])
    shift_columns = (
        [officer for officer, _ in shifts],
        [shift.weekday for _, shift in shifts],
        [shift.starts_at for _, shift in shifts],
        [shift.ends_at for _, shift in shifts],
    )
    lines, most_open = [p.duty_line for p in posts.values()], [p.most_open for p in posts.values()]
    return (
        await KEEP_OFFICERS.run(conn, list(posts), lines, most_open)
        + await DROP_BEATS.run(conn, ids, *beat_columns)
        + await KEEP_BEATS.run(conn, *beat_columns)
        + await DROP_SHIFTS.run(conn, ids, *shift_columns)
        + await KEEP_SHIFTS.run(conn, *shift_columns)
        + await teams.keep_skills(conn, ids, {officer: post.skills for officer, post in posts.items()})
        + await teams.keep_members(conn, ids, {officer: post.teams for officer, post in posts.items()})
    )
