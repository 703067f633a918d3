"""A simulated day on the demo city, with real processes: every state, every category, some of it late."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.domain.case_state import State
from gridsvc.local.city import make_if_empty
from gridsvc.local.starter import CATEGORIES
from tests.acceptance.live_service import SECRET, LiveService
from tests.conftest import CityClock
from tests.servers import FreshDatabase, SessionServers

PATIENCE_S = 120


@pytest.fixture(scope="module")
def city_database(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    database = session_servers.fresh_database()
    yield database
    session_servers.drop_database(database)


@pytest.fixture(scope="module")
def service(
    session_servers: SessionServers, city_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveService]:
    """One service on one demo city for all of these tests."""
    home, vhost = tmp_path_factory.mktemp("home"), session_servers.fresh_vhost()
    live = LiveService(home, city_database, vhost)
    assert asyncio.run(make_if_empty(city_database.owner_url, home, live.url, sealing=[SECRET]))
    with live:
        yield live
    session_servers.drop_vhost(vhost)


@pytest.fixture(scope="module")
async def city(service: LiveService, city_database: FreshDatabase) -> AsyncIterator[ConnPool]:
    """The database behind the service."""
    async with open_pool(city_database.url, scope=SERVICE, size=2, name="test") as pool:
        yield pool


async def one(pool: ConnPool, question: str, *given: object) -> object:
    async with transaction(pool) as (conn, _):
        return await conn.fetchval(question, *given)


async def until(pool: ConnPool, question: str, what: str, *given: object) -> None:
    """Ask the database until it says yes."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + PATIENCE_S, asyncio.Event()
    while not await one(pool, question, *given):
        assert loop.time() < deadline, f"not within {PATIENCE_S} s: {what}"
        try:
            async with asyncio.timeout(0.25):
                await pause.wait()
        except TimeoutError:
            continue


@pytest.mark.slow
async def test_a_short_simulation_ends_by_itself_and_says_what_happened(service: LiveService) -> None:
    ended = await asyncio.to_thread(service.run, "simulate", "--hours", "2", "--speed", "1200", "--officers", "10")
    assert ended.code == 0, ended.said
    assert "refused   none" in ended.said
    assert "judged    filing_rate" in ended.said
    assert "rules     department_of_the_category" in ended.said, "and how often each rule chose"
    assert "clocks stood still" in ended.said
    assert re.search(r"^devices   dahua \d+, frigate \d+, hikvision \d+, onvif \d+$", ended.said, re.MULTILINE)
    assert ", 0 of them of somebody off duty, off shift or absent" in ended.said


@pytest.mark.slow
async def test_the_grid_is_redrawn_during_the_day_and_the_open_cases_follow_there_and_back(
    service: LiveService, city: ConnPool
) -> None:
    before = await one(city, "SELECT grid_set_at(city_now())")
    ended = await asyncio.to_thread(service.run, "simulate", "--hours", "8", "--speed", "1200", "--officers", "40")
    assert ended.code == 0, ended.said
    told = re.search(r"grid      (\d+) cells to the neighbouring beat .*; (\d+) open cases followed", ended.said)
    assert told is not None, ended.said
    assert int(told[1]) >= 1
    followed = (
        "SELECT count(DISTINCT case_id) >= $2 FROM history WHERE move = 'regrid' AND (facts ->> 'grid_set')::int <> $1"
    )
    # What was under way while they followed lies in the older set, and follows a round later.
    assert int(told[2]) > 0
    assert await one(city, followed, before, int(told[2]))
    assert await one(city, "SELECT grid_set_at(city_now())") == before, "it was taken back"
    waiting = "SELECT count(*) FROM cases WHERE grid_set_id <> $1 AND closed_at IS NULL AND state NOT IN ($2, $3, $4)"
    assert await one(city, waiting, before, "rejected", "cancelled", "merged") == 0
    verified = service.run("verify")
    assert verified.code == 0, verified.said


@pytest.mark.slow
async def test_the_gentle_simulation_lives_through_a_restart_of_the_service(
    service: LiveService, city: ConnPool
) -> None:
    service.start("simulate", "--gentle")
    await until(city, "SELECT count(*) >= 1 FROM officer_positions", "officers walk")
    service.end("serve")
    before = await one(city, "SELECT max(received_at) FROM officer_positions")
    service.start("serve")
    await until(city, "SELECT max(received_at) > $1::timestamptz FROM officer_positions", "officers walk again", before)
    await until(
        city,
        "SELECT EXISTS (SELECT FROM camera_events WHERE outcome = 'opened')"
        "   AND EXISTS (SELECT FROM camera_counts WHERE outcome = 'duplicate')",
        "what a camera sees opens a case, and the stuck one repeats itself",
    )
    assert service.lives("simulate"), service.said("simulate")
    service.end("simulate")


@pytest.mark.slow
async def test_a_simulated_day_brings_cases_into_all_ten_states(
    service: LiveService, city: ConnPool, city_database: FreshDatabase
) -> None:
    service.start("simulate", "--from", "8", "--hours", "500", "--speed", "2400", "--busiest", "24", "--officers", "60")
    await until(city, "SELECT count(*) >= 10 FROM history WHERE move = 'accept'", "people work")
    await until(
        city, "SELECT EXISTS (SELECT FROM camera_pictures WHERE state = 'kept' AND case_id IS NOT NULL)",
        "what a camera shows is evidence of the case",
    )
    # People work at 2 400 times life, deadlines do not: so the city's clock is what makes some cases late.
    await CityClock(city_database.owner_url).forward(timedelta(days=4))
    await until(city, "SELECT count(DISTINCT to_state) = $1 FROM history", "all ten states are seen", len(State))
    await until(city, "SELECT count(DISTINCT category) = $1 FROM reports", "every category is used", len(CATEGORIES))
    await until(city, "SELECT EXISTS (SELECT FROM escalations WHERE effect = 'overdue')", "some run late")
    await until(city, "SELECT count(DISTINCT source) >= 3 FROM reports", "reports come from more than one source")
    await until(
        city, "SELECT EXISTS (SELECT FROM cases WHERE place IS NOT NULL AND address <> '')", "words get a place"
    )
    await until(city, "SELECT EXISTS (SELECT FROM cases WHERE component IS NOT NULL)", "components are reported")
    await until(city, "SELECT EXISTS (SELECT FROM cases WHERE attributes ? '充电位置')", "what is asked is said")
    await until(city, "SELECT count(*) >= 20 FROM officer_positions", "officers walk")
    await until(city, "SELECT EXISTS (SELECT FROM history WHERE move = 'undo')", "a wrong page is undone")
    await until(city, "SELECT EXISTS (SELECT FROM history WHERE move = 'close')", "cases are worked and closed")
    await until(
        city,
        "SELECT EXISTS (SELECT FROM outages WHERE state = 'approved' AND until_at IS NOT NULL)"
        "   AND EXISTS (SELECT FROM outage_changes WHERE what = 'moved')",
        "a department cannot work for an afternoon, and its deadlines move",
    )
    await until(city, "SELECT EXISTS (SELECT FROM co_handlings WHERE result = 'done')", "departments do their parts")
    await until(city, "SELECT EXISTS (SELECT FROM history WHERE move = 'follow')", "effects follow their cause")
    await until(
        city,
        "SELECT count(DISTINCT kind) >= 2 AND count(result) >= 2 FROM checks WHERE sent_by = 'worker:router'",
        "officers are sent unasked, before the filing and again to a sample or before the closing, and go",
    )
    await until(city, "SELECT EXISTS (SELECT FROM cases WHERE self_handled)", "officers put things right on the spot")
    await until(
        city,
        "SELECT count(DISTINCT calendar) = 3 FROM clocks WHERE unit = 'work'",
        "working time runs on the city's calendar, a department's and a district's",
    )
    await until(city, "SELECT EXISTS (SELECT FROM history WHERE move = 'hand_over')", "who goes home hands over")
    await until(city, "SELECT EXISTS (SELECT FROM history WHERE move = 'relieve')", "what he had is routed anew")
    await until(city, "SELECT EXISTS (SELECT FROM absences WHERE reason = 'leave')", "some are on leave")
    await until(city, "SELECT EXISTS (SELECT FROM shift_log WHERE taken_by IS NOT NULL)", "shifts are handed over")
    await until(city, "SELECT EXISTS (SELECT FROM call_backs WHERE result = 'solved')", "who called is called back")
    await until(city, "SELECT count(*) > 20 FROM officer_trails", "the ways of officers are kept")
    await until(city, "SELECT count(*) > 5 FROM cell_stays", "it is reckoned in which cells they were")
    await until(city, "SELECT EXISTS (SELECT FROM uploads WHERE state = 'kept')", "pictures come in parts")
    await until(city, "SELECT EXISTS (SELECT FROM attachments WHERE kind = 'sound')", "some speak a note")
    await until(city, "SELECT EXISTS (SELECT FROM attachment_looks)", "photographs are compared")
    await until(
        city, "SELECT EXISTS (SELECT FROM camera_changes WHERE version = 3)", "cameras are taken down and put up again"
    )
    await until(
        city,
        "SELECT EXISTS (SELECT FROM signed_requests)"
        "   AND EXISTS (SELECT FROM camera_events WHERE protocol = 'mapped' AND case_id IS NOT NULL)"
        "   AND EXISTS (SELECT FROM camera_events WHERE protocol = 'mapped' AND outcome_reason = 'outside_the_grid')",
        "the analyser signs, the survey car's sightings are cases where it was, and one is outside the city",
    )
    await until(
        city,
        "SELECT EXISTS (SELECT FROM viid_accounts WHERE registered_at IS NOT NULL)"
        "   AND EXISTS (SELECT FROM camera_quarantine WHERE code = 'not_registered')",
        "a traffic camera of GA/T 1400 registers, leaves, speaks too early and comes back",
    )
    await until(
        city,
        "SELECT count(DISTINCT ladder) FILTER (WHERE ladder IN ('calm', 'steep', 'water', 'reminding')) >= 2"
        " FROM escalations WHERE ladder_edition = 2",
        "severities, a department and a district have ladders of their own",
    )
    await until(
        city,
        "SELECT EXISTS (SELECT FROM notices WHERE kind = 'digest' AND acknowledged_at IS NOT NULL)",
        "supervisors read digests of four days' rungs",
    )
    await until(city, "SELECT EXISTS (SELECT FROM quiet_hours)", "somebody rests")
    await until(city, "SELECT EXISTS (SELECT FROM alarms WHERE acknowledged_at IS NOT NULL)", "somebody saw an alarm")
    assert service.lives("simulate"), service.said("simulate")
    service.end("simulate")
    strangers = (
        "SELECT count(*) FROM cases WHERE description NOT LIKE '【模拟】%' AND source NOT IN ('camera', 'visit')"
    )
    assert await one(city, strangers) == 0
    verified = service.run("verify")
    assert verified.code == 0, verified.said


async def test_the_first_report_of_the_readme_is_a_case_with_an_answer_why(service: LiveService) -> None:
    example = Path(__file__).parents[2] / "docs/examples/first_report.py"
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(example)], env=service.environment, capture_output=True, timeout=60
    )
    said = ended.stdout.decode()
    assert ended.returncode == 0, ended.stderr.decode()
    assert said.startswith("case 6201"), said
    assert '"candidates"' in said or "waits in the pool" in said


async def test_without_a_demo_city_there_is_nothing_to_simulate(tmp_path: Path, fresh_database: FreshDatabase) -> None:
    live = LiveService(tmp_path, fresh_database, "amqp://nowhere/")
    ended = await asyncio.to_thread(live.run, "simulate", "--gentle")
    assert ended.code == 1
    assert "demo.json is not there" in ended.said
