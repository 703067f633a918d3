"""From what cameras say to one case per incident: durable, once, and never a flood."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Phase, Spot
from geo.place import Place
from gridsvc.actions.replay_message import StillUnread, replay_message
from gridsvc.db import open_pool, transaction
from gridsvc.domain.case_state import Move
from gridsvc.store import camera_events
from gridsvc.store.camera_events import balances, totals
from gridsvc.store.camera_quarantine import Kept
from tests.conftest import CityClock
from tests.integration.small_city import SOUTH, STEP, WEST, report
from tests.integration.stories.camera_town import VENDOR, Cameras, seen
from tests.integration.stories.conftest import Town
from workers.cameras import day_round, decide_round, sort_round, storm_round

LABELS = {
    "street_vendor": (VENDOR, "automatic"), "vendor": (VENDOR, "automatic"), "crowd": (VENDOR, "review"),
    "leaf": (VENDOR, "off"),
}  # fmt: skip


@pytest.fixture
async def streets(town: Town) -> Cameras:
    cameras = Cameras(town)
    for code, cell in (("c1", 0), ("c2", 0), ("c3", 1), ("far", 2)):
        await cameras.install(code, cell, LABELS)
    return cameras


async def test_three_cameras_that_see_one_thing_make_one_case(streets: Cameras, city_clock: CityClock) -> None:
    """Two in its cell, with different words of their vendors; a third in the next cell looks over the border."""
    await streets.install("border", 1, LABELS, east_m=-60)  # 30 m from the middle of the first cell
    await streets.say(seen("c1", "a"), seen("c2", "b", "vendor"), seen("border", "c"), seen("far", "d"))
    await streets.work()
    assert await streets.cases() == [], "the group waits for its others"
    assert await streets.outcomes() == {"waiting": 4}
    await city_clock.forward(timedelta(seconds=5))
    await streets.work()
    one, other = sorted(await streets.cases(), key=lambda case: case["cell_code"])
    assert [one["cell_code"][-1], other["cell_code"][-1]] == ["1", "3"]
    assert (one["source"], one["state"]) == ("camera", "filed")
    assert one["reported_by"] in {"camera:c1", "camera:c2", "camera:border"}
    assert await streets.outcomes() == {"opened": 2, "joined": 2}
    again = await streets.say(seen("c1", "a", phase=Phase.UPDATE, score=0.5))
    assert again[0].outcome == "accepted"
    await streets.work()
    assert await streets.outcomes() == {"opened": 2, "joined": 3}
    assert len(await streets.cases()) == 2


async def test_an_open_case_that_a_person_reported_near_by_takes_the_event_as_evidence(streets: Cameras) -> None:
    near_by = Place(WEST + STEP / 2 + 30 / 89_900, SOUTH + STEP / 2)
    from_an_officer = await streets.town.filed(report(streets.town.city.officers[0], VENDOR, near_by))
    await streets.rules(wait_s=0)
    await streets.say(seen("c1", "a"))
    await streets.work()
    [event] = await streets.town.rows("SELECT outcome, case_id FROM camera_events")
    assert event == {"outcome": "joined", "case_id": from_an_officer.id}
    assert await streets.cases() == []
    [incident] = await streets.town.rows("SELECT events, cameras, case_id FROM camera_incidents")
    assert incident == {"events": 1, "cameras": ["c1"], "case_id": from_an_officer.id}


async def test_the_same_message_again_is_a_duplicate_over_midnight_too(streets: Cameras, city_clock: CityClock) -> None:
    moment = await streets.town.now()
    first, twin = await streets.say(seen("c1", "a", at=moment), seen("c1", "a", at=moment))
    assert (first.outcome, twin.outcome) == ("accepted", "duplicate")
    await day_round(streets.town.pool)
    await city_clock.forward(timedelta(hours=23))
    [later] = await streets.say(seen("c1", "a", at=moment))
    assert later.outcome == "duplicate"
    [other] = await streets.say(seen("c1", "a", at=moment, phase=Phase.END))
    assert other.outcome == "accepted", "another phase is another message"
    await city_clock.forward(timedelta(hours=2))
    [after] = await streets.say(seen("c1", "a", at=moment))
    assert after.outcome == "accepted", "after a day nobody remembers"
    assert all(balances(each) for each in await streets.balances())


async def test_a_storm_of_ten_thousand_is_one_case_with_exact_counts_and_one_about_the_camera(
    streets: Cameras, city_clock: CityClock
) -> None:
    moment = await streets.town.now()
    duplicates = [seen("c1", "a", at=moment)] * 5_000
    changing = [seen("c1", f"b{n}", at=moment) for n in range(5_000)]
    await streets.say(*duplicates, *changing, seen("far", "z"))
    await streets.work()
    await city_clock.forward(timedelta(seconds=5))
    await streets.work()
    cases = await streets.cases()
    assert len(cases) == 2 + 1, "what it saw, the storm, and what the other camera saw"
    assert [case["description"] for case in cases if "告警风暴" in case["description"]] != []
    sums = totals([each for each in await streets.balances() if each.camera == "c1"])
    assert sums["received"] == 10_000
    assert sums["duplicate"] == 4_999
    assert (sums["opened"], sums["joined"]) == (1, 49), "the burst of fifty"
    assert sums["suppressed"] == 4_951
    kept = await streets.town.rows("SELECT FROM camera_events WHERE outcome_reason = 'rate'")
    assert len(kept) == 50, "one in a hundred of what is beyond the rate"
    await streets.work()
    assert len(await streets.cases()) == 3, "a storm has one case while it lasts"


async def test_a_camera_that_storms_rings_once_and_again_after_the_time_of_the_rules(
    streets: Cameras, city_clock: CityClock
) -> None:
    """Whether somebody has seen the alarm or not: a storm that goes on is told again after `repeat_s`, not before."""
    await streets.rules(repeat_s=3600, storm_after=100)

    async def storms() -> int:
        moment = await streets.town.now()
        await streets.say(*(seen("c1", f"{moment}{n}", at=moment) for n in range(300)))
        await storm_round(streets.town.pool)
        return len(await streets.town.rows("SELECT FROM alarms WHERE camera = 'c1' AND kind = 'camera_storm'"))

    assert [await storms(), await storms()] == [1, 1]
    await city_clock.forward(timedelta(minutes=59))
    assert await storms() == 1
    await city_clock.forward(timedelta(minutes=2))
    assert await storms() == 2


async def test_what_was_said_before_is_found_by_its_digest_on_a_day_that_is_still_empty_too(
    streets: Cameras, database: str
) -> None:
    """The desk's connections plan once: what reads a whole day is cheap on its first morning, and never after."""
    await day_round(streets.town.pool)
    async with (
        open_pool(database, size=1, plan_once=True, by_index=True) as desk,
        transaction(desk) as (conn, _),
    ):
        await conn.execute(f"PREPARE known (uuid[], timestamptz) AS {camera_events.KNOWN.sql}")
        plan = await conn.fetch("EXPLAIN EXECUTE known (ARRAY[gen_random_uuid()], '2026-01-01')")
    looks = [row[0].strip() for row in plan if "Index Cond:" in row[0] and "case_id" not in row[0]]
    assert len(looks) > 1, "one for each day"
    assert set(looks) == {"Index Cond: (digest = u.digest)"}


SCRIPT = (
    seen("c1", "a", phase=Phase.START, score=0.1),
    seen("c1", "a", phase=Phase.UPDATE, score=0.2),
    seen("c1", "a", phase=Phase.END, score=0.3),
    seen("c1", "a", phase=Phase.UPDATE, score=0.2),  # sent twice
)


async def test_any_order_of_messages_ends_in_the_same_state(streets: Cameras, city_clock: CityClock) -> None:
    """Some within the wait and the last one a minute after it: an update that comes after the end opens nothing."""
    ends = []
    for order in list(permutations(SCRIPT))[::5]:
        await _play(streets, order, city_clock)
        rows = await streets.town.rows(
            "SELECT (SELECT array_agg(outcome ORDER BY outcome) FROM camera_events) AS outcomes, ended, messages,"
            "       (SELECT count(DISTINCT case_id) FROM camera_events) AS cases,"
            "       (SELECT sum(events) FROM camera_incidents) AS events,"
            "       (SELECT sum(events) FROM camera_counts WHERE outcome = 'duplicate') AS duplicates"
            "  FROM camera_sightings"
        )
        ends.append(rows)
        await _forget(streets)
    assert all(end == ends[0] for end in ends)
    assert ends[0] == [
        {"outcomes": ["joined", "joined", "opened"], "ended": True, "messages": 3, "cases": 1, "events": 3,
         "duplicates": 1}
    ]  # fmt: skip


async def zones_of_a_lane(streets: Cameras) -> list[CameraEvent]:
    """Something begins and ends in two zones of one channel, each at its moment."""
    now = await streets.town.now()
    return [
        seen("c1", f"{zone} {phase}", phase=phase, zone=zone, lane="vendor", at=now + timedelta(seconds=at))
        for at, (zone, phase) in enumerate(
            (zone, phase) for phase in (Phase.START, Phase.END) for zone in ("west", "east")
        )
    ]


async def test_zones_of_a_lane_end_the_same_in_any_order(streets: Cameras, city_clock: CityClock) -> None:
    ends = []
    for order in list(permutations(await zones_of_a_lane(streets)))[::5]:
        await _play(streets, order, city_clock)
        ends.append(await streets.town.rows("SELECT zone, ended, messages FROM camera_sightings ORDER BY zone"))
        assert await streets.outcomes() == {"opened": 1, "joined": 3}, order
        await _forget(streets)
    assert ends == [[{"zone": zone, "ended": True, "messages": 2} for zone in ("east", "west")]] * len(ends)


async def test_what_a_camera_saw_as_it_went_blind_comes_to_nothing_in_any_order(
    streets: Cameras, city_clock: CityClock
) -> None:
    script = (seen("c1", "a"), seen("c1", "a", phase=Phase.END), seen("c1", "t", "tamper"))
    for order in permutations(script):
        for message in order:
            await streets.say(message)
            await streets.work()
        await city_clock.forward(timedelta(seconds=5))
        await streets.work()
        await streets.say(seen("c1", "t", "tamper", phase=Phase.END))
        await streets.work()
        await streets.say(seen("c1", "a", phase=Phase.END, score=0.1))
        await streets.work()
        assert await streets.outcomes() == {"suppressed inhibited": 3, "opened": 1, "joined": 1}, order
        await _forget(streets)


async def _play(streets: Cameras, messages: tuple[CameraEvent, ...], clock: CityClock) -> None:
    for message in messages[:-1]:
        await streets.say(message)
        await streets.work()
    await clock.forward(timedelta(seconds=5))
    await streets.work()
    await clock.forward(timedelta(minutes=1))
    await streets.say(messages[-1])
    await streets.work()


async def _forget(streets: Cameras) -> None:
    """All that cameras said; their cases become exercises, which take no evidence."""
    async with streets.town.pool.acquire() as conn:
        for table in ("camera_events", "camera_sightings", "camera_incidents", "camera_counts", "camera_meters"):
            await conn.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
        await conn.execute("UPDATE cases SET exercise = true")


async def test_workers_side_by_side_decide_each_incident_once(streets: Cameras) -> None:
    await streets.rules(wait_s=0)
    await streets.say(*(seen(code, f"{code}{n}") for code in ("c1", "c2", "c3", "far") for n in range(25)))
    pool, numbers = streets.town.pool, streets.town.numbers
    await asyncio.gather(*(sort_round(pool, 7) for _ in range(4)))
    await sort_round(pool, 1_000)
    await asyncio.gather(*(decide_round(pool, numbers, 2) for _ in range(4)))
    await decide_round(pool, numbers, 10)
    assert len(await streets.cases()) == 3, "one for each cell"
    assert await streets.outcomes() == {"opened": 3, "joined": 97}
    [counted] = await streets.town.rows("SELECT sum(events) AS events FROM camera_incidents")
    assert counted["events"] == 100


async def test_a_blind_camera_mutes_its_own_detections_even_those_of_the_wait(
    streets: Cameras, city_clock: CityClock
) -> None:
    await streets.say(seen("c1", "a"), seen("c2", "other"))
    await streets.work()
    await streets.say(seen("c1", "t", "tamper"))
    await streets.work()
    await streets.say(seen("c1", "b"))
    await city_clock.forward(timedelta(seconds=5))
    await streets.work()
    assert await streets.outcomes() == {"suppressed inhibited": 2, "opened": 2}
    await streets.say(seen("c1", "t", "tamper", phase=Phase.END))
    await streets.work()
    await streets.say(seen("c1", "c"))
    await streets.work()
    assert await streets.outcomes() == {"suppressed inhibited": 2, "opened": 2, "joined": 2}


async def test_the_end_of_what_came_to_nothing_comes_to_nothing_too(streets: Cameras, city_clock: CityClock) -> None:
    """A vendor whom a blind camera told of, before it was blind or while it was, is not a case because he leaves."""
    await streets.say(seen("c1", "in the wait"), seen("c2", "in the wait"))
    await streets.work()
    await streets.say(seen("c1", "t", "tamper"))
    await streets.work()
    await streets.say(seen("c1", "while blind"), seen("c1", "goes on"))
    await city_clock.forward(timedelta(seconds=5))
    await streets.work()
    await streets.say(seen("c1", "t", "tamper", phase=Phase.END))
    await streets.work()
    before = await streets.outcomes()
    assert before == {"suppressed inhibited": 3, "opened": 2, "joined": 1}
    await streets.say(seen("c1", "in the wait", phase=Phase.END), seen("c1", "while blind", phase=Phase.END))
    await streets.work()
    assert await streets.outcomes() == before + Counter({"suppressed inhibited": 2}), "its own outcome, not its case's"
    await streets.say(seen("c1", "goes on", phase=Phase.UPDATE))
    await streets.work()
    await streets.say(seen("c1", "goes on", phase=Phase.END))
    await streets.work()
    assert await streets.outcomes() == before + Counter({"suppressed inhibited": 2, "joined": 2}), "it was seen again"
    assert len(await streets.cases()) == 2


async def test_two_zones_of_one_lane_are_two_things_and_an_end_that_names_none_ends_both(
    streets: Cameras, city_clock: CityClock
) -> None:
    """A Hikvision camera says in which region something begins, and of the end often only that it is over."""
    await streets.rules(wait_s=0)
    west, east = (Spot(lon=WEST + STEP / 2 + STEP * cell, lat=SOUTH + STEP / 2, datum="wgs84") for cell in (0, 2))

    async def lane(key: str, phase: Phase, zone: str | None, spot: Spot) -> None:
        await city_clock.forward(timedelta(seconds=1))
        await streets.say(seen("c1", key, lane="vendor", zone=zone, spot=spot, phase=phase))
        await streets.work()

    await lane("m1", Phase.START, "west", west)
    await lane("m2", Phase.START, "east", east)
    await lane("m3", Phase.END, "west", west)
    told = "SELECT key, array_agg(phase ORDER BY received_at) AS phases FROM camera_events GROUP BY key, case_id"
    assert await streets.town.rows(f"{told} ORDER BY key") == [
        {"key": "lane:vendor/east", "phases": ["start"]}, {"key": "lane:vendor/west", "phases": ["start", "end"]},
    ]  # fmt: skip
    ended = "SELECT zone, ended FROM camera_sightings ORDER BY zone"
    assert await streets.town.rows(ended) == [{"zone": "east", "ended": False}, {"zone": "west", "ended": True}]
    await lane("m4", Phase.END, None, west)
    assert [row["ended"] for row in await streets.town.rows(ended)] == [True, True, True]
    cases = "SELECT DISTINCT case_id FROM camera_events WHERE key IN ('lane:vendor', 'lane:vendor/east')"
    assert len(await streets.town.rows(cases)) == 1, "it is of what went on still"
    assert await streets.outcomes() == {"opened": 2, "joined": 2}


async def test_an_end_waits_with_what_it_ends_wherever_it_is_told_to_be(streets: Cameras) -> None:
    east = Spot(lon=WEST + STEP / 2 + STEP * 2, lat=SOUTH + STEP / 2, datum="wgs84")
    await streets.say(seen("c1", "m1", lane="vendor", zone="yard", spot=east), seen("c1", "7", spot=east))
    await streets.work()
    await streets.say(seen("c1", "m2", lane="vendor", phase=Phase.END), seen("c1", "7", phase=Phase.END))
    await streets.rules(wait_s=0)
    await streets.town.rows("UPDATE camera_incidents SET due_at = city_now() RETURNING id")
    await streets.work()
    assert await streets.outcomes() == {"opened": 1, "joined": 3}


async def test_where_a_device_numbers_nothing_an_end_ends_what_began_and_it_may_begin_again(
    streets: Cameras, city_clock: CityClock
) -> None:
    """Each of its messages has a key of its own; the lane says what belongs together."""
    await streets.rules(wait_s=0)

    async def covered(key: str, phase: Phase) -> None:
        await city_clock.forward(timedelta(seconds=1))
        await streets.say(seen("c1", key, "tamper", phase=phase, lane="c1 tamper"))
        await streets.work()

    async def vendor(key: str) -> str | None:
        await streets.say(seen("c1", key))
        await streets.work()
        [row] = await streets.town.rows("SELECT outcome FROM camera_events ORDER BY received_at DESC, id DESC LIMIT 1")
        return str(row["outcome"])

    await covered("m1", Phase.START)
    assert await vendor("a") == "suppressed"
    await covered("m2", Phase.END)
    assert await vendor("b") == "opened"
    await covered("m3", Phase.START)
    assert await vendor("c") == "suppressed", "covered once more"


async def test_what_is_seen_elsewhere_in_one_lane_is_another_thing(streets: Cameras) -> None:
    await streets.rules(wait_s=0)
    west, east = (Spot(lon=WEST + STEP / 2 + STEP * cell, lat=SOUTH + STEP / 2, datum="wgs84") for cell in (0, 2))
    await streets.say(seen("c1", "m1", lane="c1 vendor", spot=west))
    await streets.work()
    await streets.say(seen("c1", "m2", lane="c1 vendor", spot=east, phase=Phase.UPDATE))
    await streets.work()
    assert sorted(case["cell_code"][-1] for case in await streets.cases()) == ["1", "3"]


async def test_what_goes_on_after_its_case_was_closed_opens_another_four_hours_later(
    streets: Cameras, city_clock: CityClock
) -> None:
    await streets.rules(wait_s=0, resolve_s=100_000)
    await streets.say(seen("c1", "a"))
    await streets.work()
    [case] = await streets.cases()
    row = await streets.town.case(case["id"])
    await streets.town.move(streets.town.city.dispatcher, row, Move.CANCEL, reason="withdrawn")
    await streets.say(seen("c1", "a", phase=Phase.UPDATE, score=0.1))
    await streets.work()
    assert await streets.outcomes() == {"opened": 1, "suppressed closed_lately": 1}
    await city_clock.forward(timedelta(hours=4))
    await streets.say(seen("c1", "a", phase=Phase.UPDATE, score=0.2))
    await streets.work()
    assert await streets.outcomes() == {"opened": 2, "suppressed closed_lately": 1}
    assert len(await streets.cases()) == 2


async def test_what_is_off_unknown_or_outside_ends_with_its_reason(streets: Cameras) -> None:
    await streets.rules(wait_s=0)
    out = Spot(lon=WEST - 1, lat=SOUTH, datum="wgs84")
    answers = await streets.say(
        seen("c1", "a", "leaf"), seen("c1", "b", "what_is_this"), seen("c1", "c", "crowd"), seen("c1", "d", spot=out),
        seen("c1", "e", spot=Spot(lon=float("nan"), lat=SOUTH, datum="wgs84")), seen("c1", "f", taken_back=True),
    )  # fmt: skip
    assert [(each.outcome, each.reason) for each in answers][4] == ("rejected", "not_finite")
    await streets.work()
    assert await streets.outcomes() == {
        "suppressed off": 1, "suppressed taken_back": 1, "review": 2, "rejected outside_the_grid": 1,
    }  # fmt: skip
    reviews = await streets.town.rows("SELECT kind, why, category FROM camera_reviews ORDER BY kind")
    assert reviews == [
        {"kind": "crowd", "why": "mode", "category": VENDOR},
        {"kind": "what_is_this", "why": "unmapped", "category": None},
    ]
    assert all(balances(each) for each in await streets.balances())


async def test_words_that_no_database_can_keep_are_kept_as_near_as_can_be(streets: Cameras) -> None:
    long = ["长" * 300 + "a", "长" * 300 + "b"]
    answers = await streets.say(seen("c1", "a", zone="half \ud800 and \0"), *(seen("c1", key) for key in long))
    assert [each.outcome for each in answers] == ["accepted"] * 3
    rows = await streets.town.rows("SELECT zone, key FROM camera_events ORDER BY length(key), key")
    assert rows[0]["zone"] == "half ? and \ufffd"
    assert len({row["key"] for row in rows}) == 3, "two long keys stay two"
    assert max(len(row["key"]) for row in rows) == 200


async def test_days_are_made_ahead_and_dropped_after_their_time_and_the_ledger_goes_on_to_balance(
    streets: Cameras, city_clock: CityClock
) -> None:
    await streets.rules(wait_s=0)
    await streets.say(seen("c1", "a"), seen("c1", "b"))  # before its day was made
    assert (await day_round(streets.town.pool))[0] == 4
    assert await day_round(streets.town.pool) == (0, 0)
    await streets.say(seen("c1", "c"))
    [there] = await streets.town.rows("SELECT count(*) AS n, count(DISTINCT tableoid) AS parts FROM camera_events")
    assert there == {"n": 3, "parts": 1}, "what came before its day was made has moved"
    await city_clock.forward(timedelta(days=32))
    assert (await day_round(streets.town.pool))[1] < 4, "a day with something undecided stays"
    await city_clock.forward(timedelta(days=-32))
    await streets.work()
    await city_clock.forward(timedelta(days=32))
    await day_round(streets.town.pool)
    assert await streets.outcomes() == {}
    sums = totals(await streets.balances())
    assert (sums["received"], sums["opened"], sums["joined"]) == (3, 1, 2)


async def test_books_are_kept_for_their_time_and_the_ledger_balances_all_the_while(
    streets: Cameras, city_clock: CityClock
) -> None:
    """Events for 30 days, what they came to for 400; whoever was silent for 30 days begins anew."""

    async def kept() -> list[int]:
        await day_round(streets.town.pool)
        assert all(balances(each) for each in await streets.balances())
        tables = ("events", "counts", "incidents", "sightings", "meters")
        counting = (f"SELECT count(*) AS n FROM camera_{table}" for table in tables)  # noqa: S608 - the names above
        return [(await streets.town.rows(each))[0]["n"] for each in counting]

    await day_round(streets.town.pool)
    await streets.rules(wait_s=0, resolve_s=60)
    await streets.say(seen("c1", "a"), seen("c1", "b", taken_back=True), seen("c2", "c", taken_back=True))
    await streets.work()
    await city_clock.forward(timedelta(minutes=2))
    await streets.work()
    assert await kept() == [3, 2, 1, 3, 2]
    await city_clock.forward(timedelta(days=32))
    await streets.say(seen("c2", "d"))
    await streets.work()
    assert await kept() == [1, 6, 2, 1, 1], "rows have become counts, and what is silent is forgotten"
    await city_clock.forward(timedelta(minutes=2))
    await streets.work()
    await city_clock.forward(timedelta(days=369))
    assert await kept() == [0, 2, 1, 0, 0], "the first hour is gone, on both sides; the other is not"
    await city_clock.forward(timedelta(days=32))
    assert await kept() == [0, 0, 0, 0, 0]


async def test_an_event_that_nobody_could_decide_is_still_there_for_the_next_worker(streets: Cameras) -> None:
    """A worker that dies in the middle of its transaction leaves all as it was."""
    await streets.say(seen("c1", "a"))
    with pytest.raises(RuntimeError):
        await _claim_and_die(streets)
    await streets.rules(wait_s=0)
    await streets.work()
    assert await streets.outcomes() == {"opened": 1}


async def _claim_and_die(streets: Cameras) -> None:
    async with transaction(streets.town.pool) as (conn, _):
        assert len(await camera_events.claim_new(conn, 10)) == 1
        raise RuntimeError("killed")


async def test_a_message_of_a_site_that_is_replayed_may_say_beside_its_events_that_the_site_is_there(
    streets: Cameras,
) -> None:
    """A heartbeat that names nobody is of the site, as at the door; an event that names nobody is nobody's."""
    event = seen("c2", "a")
    async with transaction(streets.town.pool) as (conn, now):
        kept = Kept(
            id=UUID(int=7), received_at=now, protocol="cloudevents", token_id=None, cameras=["c1", "c2"], peer="",
            content_type="", headers={}, body=b"", bytes=0, code="unknown_camera", says="", replayed_at=None,
            replayed_as=None,
        )  # fmt: skip
        answers = await replay_message(conn, kept, [Heartbeat(protocol="cloudevents", device=Device()), event], now)
        assert not isinstance(answers, StillUnread)
        assert [answer.outcome for answer in answers] == ["accepted"]
        stranger = Heartbeat(protocol="cloudevents", device=Device(code="c9"))
        for nobody in (stranger, replace(event, device=Device())):
            assert getattr(await replay_message(conn, kept, [nobody], now), "code", None) == "unknown_camera"


async def test_counts_stay_as_long_as_an_event_of_their_hour_is_there(streets: Cameras, city_clock: CityClock) -> None:
    """What is undecided keeps its day beyond all times; an hour that lost one side would not balance."""
    await day_round(streets.town.pool)
    await streets.rules(wait_s=0, keep_days=30, keep_counts_days=30)
    await streets.say(seen("c1", "a"))
    for days, left in ((33, 1), (33, 0)):
        await city_clock.forward(timedelta(days=days))
        await day_round(streets.town.pool)
        [there] = await streets.town.rows("SELECT count(*) AS n FROM camera_counts WHERE outcome = 'received'")
        assert there["n"] == left
        assert all(balances(each) for each in await streets.balances())
        await streets.work()
