"""A report becomes one case, in one cell, or is refused and leaves nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from geo.place import Place
from gridsvc.actions.file_report import Taken
from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Clock, Move, Pool, State
from gridsvc.errors import BadRequest, OutsideTheGrid, Unknown, UnknownCategory
from gridsvc.ids import new_id
from tests.integration.small_city import DISTRICT, INSIDE, SOUTH, STEP, WEST, category, photographed, report
from tests.integration.stories.conftest import Town


async def code(town: Town, handled_by: str = "officer", *, files_itself: bool = True, one_limit: bool = False) -> str:
    async with town.pool.acquire() as conn:
        return await category(conn, handled_by=handled_by, files_itself=files_itself, one_limit=one_limit)


async def test_a_report_is_report_case_history_clock_and_news_in_one_commit(town: Town) -> None:
    said = report(town.city.officers[0], await code(town))
    case = await town.filed(said)
    assert (case.state, case.pool, case.version) == (State.FILED, Pool.ROUTING, 1)
    assert case.cell_code == "620102001001001"
    assert case.beat_code == "B1"
    assert case.divisions == ["620100", "620102", "620102001", "620102001001"]
    [row] = await town.rows("SELECT * FROM reports WHERE case_id = $1", case.id)
    assert row["description"] == "井盖缺失"
    [entry] = await town.rows("SELECT * FROM history WHERE case_id = $1", case.id)
    assert (entry["move"], entry["version"], entry["actor"]) == (Move.FILE, 1, said.reported_by)
    [clock] = await town.rows("SELECT * FROM clocks WHERE case_id = $1", case.id)
    assert clock["kind"] == Clock.DISPATCH
    assert [news.TYPE for news in await town.told(case.id)] == ["case.filed"]


async def test_a_case_number_is_division_full_date_and_sequence(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    [(day,)] = [tuple(row.values()) for row in await town.rows(
        "SELECT to_char(city_now() AT TIME ZONE zone, 'YYYYMMDD') FROM instance")]  # fmt: skip
    assert case.number == f"620102001001-{day}-0001"


async def test_one_refused_report_does_not_spoil_the_others(town: Town) -> None:
    by, known = town.city.officers[0], await code(town)
    now = await town.now()
    answers = await town.file(
        report(by, known),
        report(by, "nonsense"),
        report(by, known, Place(104.5, 36.5)),
        replace(report(by, known), occurred_at=now + timedelta(hours=1)),
        report(by, known),
    )
    assert [type(answer) for answer in answers] == [Taken, UnknownCategory, OutsideTheGrid, BadRequest, Taken]
    assert len(await town.rows("SELECT id FROM cases")) == 2
    assert len(await town.rows("SELECT id FROM reports")) == 2


async def test_when_all_are_refused_nothing_is_kept(town: Town) -> None:
    [answer] = await town.file(report(town.city.officers[0], "nonsense"))
    assert isinstance(answer, UnknownCategory)
    assert await town.rows("SELECT id FROM cases") == []
    assert await town.rows("SELECT seq FROM outbox") == []


async def test_a_place_on_a_border_goes_to_the_lowest_code_and_says_so(town: Town) -> None:
    on_the_corner = Place(WEST + STEP, SOUTH + STEP)
    case = await town.filed(report(town.city.officers[0], await code(town), on_the_corner))
    assert case.cell_code == "620102001001001"
    assert case.on_border
    assert case.neighbours == ["620102001001002", "620102001001004", "620102001001005"]


async def test_a_place_within_the_width_of_the_border_is_covered_and_the_ledger_agrees(town: Town) -> None:
    half_a_millimetre_west = Place(WEST - 5e-9, SOUTH + STEP / 2)
    case = await town.filed(report(town.city.officers[0], await code(town), half_a_millimetre_west))
    assert (case.cell_code, case.cell_method) == ("620102001001001", "covers")
    assert (await town.ledger())[0] == {}


async def test_a_place_just_outside_is_snapped_and_flagged(town: Town) -> None:
    ten_metres_west = Place(WEST - 0.0001, SOUTH + STEP / 2)
    case = await town.filed(report(town.city.officers[0], await code(town), ten_metres_west))
    assert (case.cell_code, case.cell_method) == ("620102001001001", "snapped")


async def test_a_category_that_needs_a_desk_waits_for_the_acceptor(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town, "department", files_itself=False)))
    assert (case.state, case.pool, case.number) == (State.REPORTED, Pool.FILING, None)
    assert [news.TYPE for news in await town.told(case.id)] == ["case.reported"]


async def test_a_caller_without_coordinates_waits_for_a_place_seen_by_the_desk(town: Town) -> None:
    case = await town.filed(report(town.city.acceptor, await code(town), None))
    assert (case.state, case.pool, case.desk_path[-1]) == (State.REPORTED, Pool.LOCATE, DISTRICT)
    assert case.desk_path[0] in case.seen_by, "the city's desk, to which its rungs climb, sees it too"
    placed = await town.move(town.city.acceptor, case, Move.LOCATE, location=INSIDE)
    assert (placed.pool, placed.cell_code) == (Pool.FILING, "620102001001001")
    filed = await town.move(town.city.acceptor, placed, Move.FILE)
    assert filed.state == State.FILED
    assert filed.number is not None


async def test_a_case_without_a_place_is_never_filed(town: Town) -> None:
    case = await town.filed(report(town.city.acceptor, await code(town), None))
    with pytest.raises(Exception, match="has no place yet"):
        await town.move(town.city.acceptor, case, Move.FILE)


async def uploaded_by(town: Town, caller: Caller) -> UUID:
    async with town.pool.acquire() as conn:
        return await photographed(conn, caller.id)


async def test_somebody_elses_photograph_is_no_evidence_and_spoils_no_other_report(town: Town) -> None:
    ann, bob = town.city.officers[0], town.city.officers[1]
    known = await code(town)
    hers, his = await uploaded_by(town, ann), await uploaded_by(town, bob)
    outcomes = await town.file(
        report(ann, known, evidence=(his,)),
        report(ann, known, evidence=(new_id(),)),
        report(ann, known, evidence=(hers, hers)),
        report(bob, known),
    )
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown, Taken, Taken]
    assert len(await town.rows("SELECT id FROM cases")) == 2
    [evidence] = await town.rows("SELECT case_id, report_id, purpose FROM attachments WHERE case_id IS NOT NULL")
    assert evidence["case_id"] == outcomes[2].case.id
    assert evidence["report_id"] == outcomes[2].report.id
    assert evidence["purpose"] == "report"


async def test_of_two_reports_with_the_same_photograph_the_first_has_it(town: Town) -> None:
    ann, known = town.city.officers[0], await code(town)
    once = await uploaded_by(town, ann)
    outcomes = await town.file(report(ann, known, evidence=(once,)), report(ann, known, evidence=(once,)))
    assert [type(outcome) for outcome in outcomes] == [Taken, Unknown]
    [later] = await town.file(report(ann, known, evidence=(once,)))
    assert isinstance(later, Unknown), "it is evidence already"


async def test_writers_side_by_side_never_get_the_same_number(town: Town) -> None:
    known = await code(town)
    answers = await asyncio.gather(
        *(town.file(*(report(town.city.officers[n % 3], known) for _ in range(7))) for n in range(10))
    )
    numbers = [taken.case.number for answer in answers for taken in answer]
    assert len(set(numbers)) == 70
    accepted = [taken.acceptance_number for answer in answers for taken in answer]
    assert len(set(accepted)) == 70
