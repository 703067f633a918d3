"""The checker can fail: each damage makes exactly its own question answer, and no rewriting of the past goes unseen."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from events.intake.camera_event import Phase, Snapshot
from gridsvc.actions.sign_history import sign_days
from gridsvc.actions.verify_city import broken_chains, broken_days, broken_files, broken_invariants
from gridsvc.db import SERVICE, Conn, ConnPool, open_pool, transaction
from gridsvc.domain.case_state import Move
from gridsvc.domain.history import ROOT, Entry, chained
from gridsvc.domain.report import Reporter
from gridsvc.files import THUMB, FileStore
from gridsvc.picture_desk import PictureDesk
from gridsvc.signing import Signer
from gridsvc.store import history
from gridsvc.store.ledger import INVARIANTS
from gridsvc.store.numbers import NumberBlocks
from tests import hostile
from tests.conftest import CityClock
from tests.integration.small_city import category, found_small_city, report
from tests.integration.stories.camera_town import Cameras, seen
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_emergencies import SLOPE
from tests.integration.stories.test_move_case import uploaded
from tests.servers import FreshDatabase, SessionServers
from workers.camera_pictures import PictureWork

SIGNER: Final = Signer.of_secret("not a secret: only for tests, 40 characters")


@dataclass(frozen=True)
class Worked:
    """A city that has worked for two days, and the login that may do anything to it.

    `late`: owned, escalated and accepted; `other`: owned; `over`: rejected; `rings`: an emergency that nobody has
    accepted; `asked`: closed, and its reporter still to be asked. The first day is signed.
    """

    owner: ConnPool
    late: UUID
    other: UUID
    over: UUID
    rings: UUID
    asked: UUID


@pytest.fixture(scope="module")
def database_of_the_worked(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    fresh = session_servers.fresh_database()
    yield fresh
    session_servers.drop_database(fresh)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    """Where pictures of the city's cameras lie."""
    return FileStore(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
async def worked(database_of_the_worked: FreshDatabase, files: FileStore) -> AsyncIterator[Worked]:
    fresh = database_of_the_worked
    clock = CityClock(fresh.owner_url)
    async with (
        open_pool(fresh.url, scope=SERVICE, size=4, name="worked") as pool,
        open_pool(fresh.url, size=2, name="worked numbers") as numbers,
        open_pool(fresh.owner_url, scope=SERVICE, size=2, role=None, name="damage") as owner,
    ):
        async with transaction(pool) as (conn, _):
            city = await found_small_city(conn)
            officers = await category(conn, handled_by="officer")
            looked_at = await category(conn, handled_by="officer", files_itself=False)
        town = Town(city, pool, NumberBlocks(numbers))
        late = await town.route((await town.filed(report(city.officers[0], officers))).id)
        other = await town.route((await town.filed(report(city.officers[1], officers))).id)
        over = await town.filed(report(city.officers[2], looked_at))
        over = await town.move(city.acceptor, over, Move.REJECT, reason="nothing there")
        asked = replace(report(city.officers[0], officers), reporter=Reporter("张三", "13812341234"))
        done = await town.route((await town.filed(asked)).id)
        owner_of = next(o for o in city.officers if o.user_id == done.officer_id)
        done = await town.move(owner_of, done, Move.ACCEPT)
        done = await town.move(owner_of, done, Move.HAND_IN, evidence=(await uploaded(town, owner_of.id),))
        done = await town.move(city.acceptor, done, Move.CLOSE)
        late = await town.move(next(o for o in city.officers if o.user_id == late.officer_id), late, Move.ACCEPT)
        other = await town.move(next(o for o in city.officers if o.user_id == other.officer_id), other, Move.ACCEPT)
        rings = await town.route((await town.filed(report(city.officers[0], SLOPE))).id)
        assert rings.call_id is not None
        await seen_by_a_camera(town, files)
        await clock.forward(timedelta(days=2))
        assert await town.sweep() > 0
        async with transaction(pool) as (conn, now):
            assert len(await sign_days(conn, SIGNER, now)) == 1
        yield Worked(owner, late.id, other.id, over.id, rings.id, done.id)


async def seen_by_a_camera(town: Town, files: FileStore) -> None:
    """One incident that two messages told of: a case opened, and joined; with a picture, and what is none."""
    streets = Cameras(town)
    await streets.rules(wait_s=0)
    await streets.install("c1", 0, {"street_vendor": ("300301", "automatic")})
    pictures = (Snapshot(media_type="image/jpeg", data=data) for data in (hostile.photograph(64, 48), b"no picture"))
    await streets.say(replace(seen("c1", "a"), snapshots=tuple(pictures)), seen("c1", "a", phase=Phase.END))
    await streets.work()
    assert await PictureWork(pool=town.pool, files=files, desk=PictureDesk(1_000_000), sealer=None).draw_round() == 2


@asynccontextmanager
async def undone_afterwards(worked: Worked) -> AsyncIterator[Conn]:
    """A transaction of the owner that leaves nothing behind."""
    async with worked.owner.acquire() as conn:
        started = conn.transaction()
        await started.start()
        try:
            yield conn
        finally:
            await started.rollback()


async def test_a_city_that_worked_well_breaks_no_rule(worked: Worked) -> None:
    async with undone_afterwards(worked) as conn:
        assert await broken_invariants(conn) == {}
        assert await broken_chains(conn) == []
        assert await broken_days(conn, SIGNER) == []


async def test_a_picture_without_its_file_and_a_file_without_its_picture_are_found(
    worked: Worked, files: FileStore
) -> None:
    async with undone_afterwards(worked) as conn:
        assert await broken_files(conn, files) == []
        [digest] = files.digests()
        files.keep(b"of nothing", (THUMB, b"of nothing"))
        [strange] = await broken_files(conn, files)
        assert strange == f"{hashlib.sha256(b'of nothing').hexdigest()}: a file of no picture"
        files.remove(hashlib.sha256(b"of nothing").digest())
        thumb = files.read(digest, THUMB)
        shown = files.read(digest)
        files.remove(digest)
        assert await broken_files(conn, files) == [f"{digest.hex()}: the file of a picture is gone"]
        files.keep(shown, (THUMB, thumb))
        assert await broken_files(conn, files) == []


_ANOTHER_SET: Final = """
WITH a_set AS (
  INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
  VALUES ('another', 'published', 'free', city_now() - interval '2 hours', city_now()) RETURNING id
), top AS (
  INSERT INTO divisions (grid_set_id, code, name, level, path, area_m2)
  SELECT id, 'top', 'top', 'city', '{{top}}', 1 FROM a_set
)
INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
SELECT a_set.id, c.code, 'top', c.area_m2, c.outline FROM a_set, cells c
"""

_OUTAGE: Final = """
INSERT INTO outages (id, version, state, reason, words, kinds, also_emergencies, from_at, declared_by, declared_at,
                     approved_by)
VALUES ('00000000-0000-0000-0000-000000000001', 1, '{state}', 'flood', '', ARRAY[]::text[], false, '2020-01-01',
        'user:a', now(), 'user:b')
"""

DAMAGES: Final[dict[str, tuple[str, ...]]] = {
    "every_report_has_a_case": (
        "ALTER TABLE reports DROP CONSTRAINT reports_case_id_fkey",
        """
        INSERT INTO reports (id, acceptance_number, case_id, source, reported_by, edition, category, description,
                             occurred_at, received_at)
        SELECT gen_random_uuid(), 'R-none', gen_random_uuid(), source, reported_by, edition, category, description,
               occurred_at, received_at
          FROM reports WHERE case_id = '{other}'
        """,
    ),
    "every_case_has_a_report": ("DELETE FROM reports WHERE case_id = '{other}'",),
    "accepted_is_owned_pooled_or_over": (
        "UPDATE assignments SET ended_at = assigned_at, ended_why = 'lost' WHERE case_id = '{other}'",
    ),
    "over_means_unowned": (
        """
        INSERT INTO assignments (id, case_id, cycle, officer_id, rule, edition, reasons, assigned_by, assigned_at)
        SELECT gen_random_uuid(), '{over}', cycle, officer_id, rule, edition, reasons, assigned_by, assigned_at
          FROM assignments WHERE case_id = '{other}'
        """,
    ),
    "history_is_gapless": ("DELETE FROM history WHERE case_id = '{other}' AND version = 2",),
    "every_rung_once": (
        "ALTER TABLE escalations DROP CONSTRAINT escalations_pkey",
        "INSERT INTO escalations SELECT * FROM escalations WHERE case_id = '{late}' AND level = 1",
    ),
    "no_rung_early": (
        "ALTER TABLE escalations DROP CONSTRAINT never_early",
        "UPDATE escalations SET fired_at = scheduled_at - interval '1 second' WHERE case_id = '{late}' AND level = 1",
    ),
    "escalations_are_history": (
        """
        UPDATE history SET facts = facts || '{{"level": 99}}'
         WHERE case_id = '{late}' AND move = 'escalate' AND facts ->> 'level' = '1'
        """,
    ),
    "marks_are_history": (
        """
        INSERT INTO case_marks (case_id, version, cycle, mark, at) VALUES ('{late}', 2, 1, 'extended', now())
        """,
    ),
    "open_cases_have_a_clock": (
        """
        UPDATE clocks SET state = 'stopped', stopped_at = started_at, next_level = NULL, next_fire_at = NULL
         WHERE case_id = '{other}'
        """,
    ),
    "what_stands_still_has_its_reason": (
        "UPDATE clocks SET state = 'paused', next_fire_at = NULL WHERE case_id = '{other}' AND kind = 'handling'",
    ),
    "an_outage_takes_out_what_was_approved": (
        _OUTAGE.format(state="declared"),
        "INSERT INTO clock_outages SELECT id, '00000000-0000-0000-0000-000000000001', started_at, stopped_at"
        " FROM clocks WHERE case_id = '{over}' AND stopped_at IS NOT NULL",
    ),
    "an_outage_without_an_end_holds_its_clocks": (
        _OUTAGE.format(state="approved"),
        "INSERT INTO clock_outages SELECT id, '00000000-0000-0000-0000-000000000001', started_at, NULL"
        " FROM clocks WHERE case_id = '{over}' AND stopped_at IS NOT NULL",
    ),
    "a_moved_deadline_names_its_outage": (
        "UPDATE clocks SET plain_due_at = due_at - interval '1 hour' WHERE case_id = '{over}'",
    ),
    "over_means_no_clock": (
        "UPDATE clocks SET state = 'paused', stopped_at = NULL WHERE case_id = '{over}'",
        "INSERT INTO clock_pauses (clock_id, from_at, reason)"
        " SELECT id, now(), 'x' FROM clocks WHERE case_id = '{over}'",
    ),
    "stopping_runs_beside_the_handling": (
        """
        INSERT INTO clocks (id, case_id, cycle, kind, ladder, unit, budget_seconds, calendar, edition, state,
                            started_at, due_at)
        SELECT gen_random_uuid(), case_id, cycle, 'stop_it', 'stop_it', unit, budget_seconds, calendar, edition,
               'paused', started_at, due_at
          FROM clocks WHERE case_id = '{other}' AND kind = 'handling'
        """,
        "INSERT INTO clock_pauses (clock_id, from_at, reason)"
        " SELECT id, now(), 'x' FROM clocks WHERE case_id = '{other}' AND kind = 'stop_it'",
    ),
    "a_check_out_has_its_clock": (
        """
        INSERT INTO clocks (id, case_id, cycle, kind, ladder, unit, budget_seconds, state, started_at, due_at)
        SELECT gen_random_uuid(), id, cycle, 'on_site', 'on_site', 'natural', 1800, 'running', updated_at, updated_at
          FROM cases WHERE id = '{other}'
        """,
    ),
    "looked_at_again_by_another": (
        """
        INSERT INTO checks (id, case_id, cycle, kind, officer_id, rule, reasons, note, sent_by, sent_at, due_at,
                            ended_at)
        SELECT gen_random_uuid(), id, cycle, 're_check', officer_id, 'nearest', '{{}}', '', 'worker:router', updated_at,
               updated_at, updated_at
          FROM cases WHERE id = '{other}'
        """,
    ),
    "a_call_back_waits_on_its_closed_case": ("UPDATE cases SET cycle = cycle + 1 WHERE id = '{asked}'",),
    "a_call_back_has_its_clock": (
        """
        UPDATE clocks SET state = 'stopped', stopped_at = started_at, next_level = NULL, next_fire_at = NULL
         WHERE case_id = '{asked}' AND kind = 'call_back'
        """,
    ),
    "one_call_back_of_a_report": (
        "DROP INDEX one_open_call_back",
        """
        INSERT INTO call_backs (id, case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at)
        SELECT gen_random_uuid(), case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at
          FROM call_backs WHERE case_id = '{asked}'
        """,
    ),
    "a_check_out_has_its_officer": (
        "UPDATE cases SET checker_id = (SELECT user_id FROM officers LIMIT 1) WHERE id = '{other}'",
    ),
    "an_open_part_has_its_case_and_clock": (
        """
        INSERT INTO co_handlings (id, case_id, cycle, department, wanted, asked_by, asked_at)
        VALUES (gen_random_uuid(), '{other}', 1, 'roads', 'x', 'test', now())
        """,
    ),
    "an_effect_waits_for_an_open_cause": (
        "UPDATE assignments SET ended_at = now(), ended_why = 'link' WHERE case_id = '{other}' AND ended_at IS NULL",
        """
        UPDATE cases
           SET state = 'filed', pool = 'cause', cause_id = '{over}', assignment_id = NULL, officer_id = NULL
         WHERE id = '{other}'
        """,
    ),
    "no_effect_of_an_effect": (
        "UPDATE assignments SET ended_at = assigned_at, ended_why = 'link' WHERE ended_at IS NULL",
        """
        UPDATE cases
           SET state = 'filed', pool = 'cause', assignment_id = NULL, officer_id = NULL,
               cause_id = CASE id WHEN '{late}' THEN '{other}'::uuid ELSE '{late}' END
         WHERE id IN ('{late}', '{other}')
        """,
    ),
    "what_rings_has_its_call": ("UPDATE calls SET ended_at = now(), ended_why = 'lost' WHERE case_id = '{rings}'",),
    "one_accepts_a_call": (
        "DROP INDEX one_accepts",
        "UPDATE called SET answer = 'accepted', answered_at = now() WHERE case_id = '{rings}'",
    ),
    "what_is_gathered_can_be_read": (
        """
        WITH seen AS (
          INSERT INTO notices (id, user_id, event_id, kind, body, created_at, acknowledged_at)
          SELECT gen_random_uuid(), user_id, gen_random_uuid(), 'digest', '{{}}', now(), now() FROM officers LIMIT 1
          RETURNING id, user_id
        )
        INSERT INTO notices (id, user_id, event_id, kind, body, created_at, digest_id)
        SELECT gen_random_uuid(), user_id, gen_random_uuid(), 'case.escalated', '{{}}', now(), id FROM seen
        """,
    ),
    "routing_never_chooses_the_absent": (
        """
        INSERT INTO absences (id, officer_id, from_at, until_at, reason, entered_by, entered_at)
        SELECT gen_random_uuid(), officer_id, assigned_at - interval '1 hour', assigned_at + interval '1 hour',
               'sick', 'user:x', assigned_at - interval '1 hour'
          FROM assignments
         WHERE assigned_by = 'worker:router' AND officer_id IS NOT NULL
         LIMIT 1
        """,
    ),
    "numbers_are_unique": (
        "ALTER TABLE cases DROP CONSTRAINT cases_number_key",
        "UPDATE cases SET number = (SELECT number FROM cases WHERE id = '{late}') WHERE id = '{other}'",
    ),
    "filed_lies_in_its_cell": ("UPDATE cases SET place = ST_Translate(place, 0.01, 0) WHERE id = '{other}'",),
    "what_cameras_sent_is_accounted_for": (
        "DELETE FROM camera_events WHERE id = (SELECT id FROM camera_events WHERE outcome = 'joined' LIMIT 1)",
    ),
    "pictures_of_cameras_are_accounted_for": ("DELETE FROM camera_pictures WHERE state = 'refused'",),
    "a_picture_goes_with_its_event": ("UPDATE camera_pictures SET case_id = NULL WHERE state = 'refused'",),
    "a_case_is_opened_by_one_camera_event": ("UPDATE camera_events SET outcome = 'opened' WHERE outcome = 'joined'",),
    "what_waits_with_an_incident_is_decided_with_it": (
        # Which of the two events opened the case is chance, and so is whose the pictures are.
        "UPDATE camera_pictures SET case_id = NULL"
        " WHERE event_id IN (SELECT id FROM camera_events WHERE outcome = 'joined')",
        "UPDATE camera_events SET outcome = NULL, case_id = NULL WHERE outcome = 'joined'",
    ),
    "attachments_have_files": ("DELETE FROM attachment_files",),
    "attachments_go_in_time": (
        "UPDATE attachments SET case_id = NULL, purpose = NULL, uploaded_at = city_now() - interval '10 days'",
    ),
    "nothing_is_removed_early": (
        """
        INSERT INTO attachment_removals
        SELECT gen_random_uuid(), id, case_id, 'original', 'case_over', original, city_now() + interval '1 day',
               city_now()
          FROM attachments
        """,
    ),
    "open_cases_follow_the_grid": (
        _ANOTHER_SET, "UPDATE cases SET updated_at = city_now() - interval '2 hours' WHERE id = '{other}'",
    ),
}  # fmt: skip


def test_for_every_rule_there_is_a_damage() -> None:
    assert set(DAMAGES) == {rule.name for rule in INVARIANTS}


@pytest.mark.parametrize("rule", DAMAGES)
async def test_a_damage_is_found_by_its_own_question_and_no_other(worked: Worked, rule: str) -> None:
    async with undone_afterwards(worked) as conn:
        for statement in DAMAGES[rule]:
            named = {
                "late": worked.late, "other": worked.other, "over": worked.over, "rings": worked.rings,
                "asked": worked.asked,
            }  # fmt: skip
            await conn.execute(statement.format(**named))
        assert set(await broken_invariants(conn)) == {rule}


async def test_a_case_that_is_called_lost_and_is_not_is_found(worked: Worked) -> None:
    async with undone_afterwards(worked) as conn:
        await conn.execute(_ANOTHER_SET.format())
        await conn.execute("UPDATE cases SET updated_at = city_now(), lost_in = grid_set_at(city_now())")
        assert set(await broken_invariants(conn)) == {"open_cases_follow_the_grid"}
        await conn.execute("DELETE FROM cells WHERE grid_set_id = grid_set_at(city_now())")
        assert await broken_invariants(conn) == {}


@pytest.mark.parametrize(
    ("what", "statements"),
    [
        ("a fact is edited", ['UPDATE history SET facts = facts || \'{{"note": "x"}}\' WHERE {row} = 2']),
        ("another is said to have done it", ["UPDATE history SET actor = 'user:nobody' WHERE {row} = 2"]),
        ("it is dated back", ["UPDATE history SET at = at - interval '1 minute' WHERE {row} = 2"]),
        ("a row in the middle is gone", ["DELETE FROM history WHERE {row} = 2"]),
        ("the last row is gone", ["DELETE FROM history WHERE {row} = 3"]),
        (
            "the last row is gone, and the case says so",
            ["DELETE FROM history WHERE {row} = 3", "UPDATE cases SET version = 2 WHERE id = '{case}'"],
        ),
        ("all rows are gone", ["DELETE FROM history WHERE {row} > 0"]),
        (
            "two rows change places",
            [
                "UPDATE history SET version = 99 WHERE {row} = 2",
                "UPDATE history SET version = 2 WHERE {row} = 3",
                "UPDATE history SET version = 3 WHERE {row} = 99",
            ],
        ),
        (
            "a row is put in",
            [
                """
                INSERT INTO history
                SELECT case_id, version + 1, 'note', to_state, to_state, actor, at, facts, hash, hash
                  FROM history WHERE {row} = 3
                """,
                "UPDATE cases SET version = 4 WHERE id = '{case}'",
            ],
        ),
    ],
)
async def test_whatever_is_done_to_a_chain_is_found(worked: Worked, what: str, statements: list[str]) -> None:
    async with undone_afterwards(worked) as conn:
        case = worked.other
        await conn.execute("DELETE FROM history WHERE case_id = $1 AND version > 3", case)
        hashed = await conn.fetchval("SELECT hash FROM history WHERE case_id = $1 AND version = 3", case)
        await conn.execute("UPDATE cases SET version = 3, head = $2 WHERE id = $1", case, hashed)
        assert await broken_chains(conn) == [], "a chain of three rows, whole"
        for statement in statements:
            await conn.execute(statement.format(row=f"case_id = '{case}' AND version", case=case))
        assert {broken.case_id for broken in await broken_chains(conn)} == {case}, what


async def test_a_chain_that_is_forged_whole_is_betrayed_by_the_signed_day(worked: Worked) -> None:
    async with undone_afterwards(worked) as conn:
        await forge(conn, worked.over, lambda entry: replace(entry, facts={**entry.facts, "reason": "another"}))
        assert await broken_chains(conn) == [], "the forger computed every hash anew"
        [(_, what)] = await broken_days(conn, SIGNER)
        assert "signed over" in what


async def test_a_day_that_is_signed_anew_without_the_secret_is_found(worked: Worked) -> None:
    stranger = Signer.of_secret("somebody else's secret, of forty characters")
    async with undone_afterwards(worked) as conn:
        await forge(conn, worked.over, lambda entry: replace(entry, actor="user:nobody"))
        now = await conn.fetchval("SELECT city_now()")
        await conn.execute("DELETE FROM history_heads")
        await sign_days(conn, stranger, now)
        [(_, what)] = await broken_days(conn, SIGNER)
        assert "signature" in what


async def forge(conn: Conn, case: UUID, lie: Callable[[Entry], Entry]) -> None:
    """Rewrite the last row of a case, with every hash as it must be."""
    entries = await history.OF_CASES.all(conn, [case])
    entries[-1] = lie(entries[-1])
    before = ROOT
    for entry in entries:
        written = chained(replace(entry, before=before))
        before = written.hash
        await conn.execute(
            "UPDATE history SET actor = $3, facts = $4, before = $5, hash = $6 WHERE case_id = $1 AND version = $2",
            case, entry.version, written.actor, dict(written.facts), written.before, written.hash,
        )  # fmt: skip
    await conn.execute("UPDATE cases SET head = $2 WHERE id = $1", case, before)
