"""A category's own limits for other stages than the handling: each drives its clock, on the calendar of the place."""

from __future__ import annotations

from datetime import timedelta

from gridsvc.domain.case_state import Move
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import INSIDE
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import TUESDAY, at, follow, notice, publish, roughly, set_time
from tests.integration.stories.test_checks import live_clocks
from tests.integration.stories.test_move_case import assigned, holder, uploaded


async def limit(town: Town, stage: str, amount: float, unit: str) -> None:
    """Every category of the edition has this limit for that stage."""
    await town.rows(
        "INSERT INTO category_limits (edition, category, stage, amount, unit)"
        " SELECT edition, code, $1, $2, $3 FROM categories RETURNING 1",
        stage, amount, unit,
    )  # fmt: skip


async def clock_of(town: Town, case: CaseRow, kind: str) -> dict[str, object]:
    [row] = await town.rows("SELECT * FROM clocks WHERE case_id = $1 AND kind = $2", case.id, kind)
    return row


async def test_what_must_be_stopped_has_a_clock_beside_the_handling_until_somebody_is_there(
    town: Town, city_clock: CityClock
) -> None:
    assert "stop_it" not in await live_clocks(town, await assigned(town)), "no limit, no clock"
    await limit(town, "stop_it", 1, "urgent_hour")
    case = await assigned(town)
    assert await live_clocks(town, case) == {"acknowledge", "handling", "stop_it"}
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    await city_clock.forward(timedelta(minutes=31))
    await town.sweep()
    rungs = [each for each in await town.told(case.id) if each.TYPE == "case.escalated"]
    assert [(getattr(each, "clock", ""), getattr(each, "role", "")) for each in rungs] == [("stop_it", "owner")]
    case = await town.case(case.id)
    case = await town.move(town.city.supervisor, case, Move.SUSPEND, reason_code="weather",
                           until=await town.now() + timedelta(hours=5))  # fmt: skip
    await city_clock.forward(timedelta(hours=2))
    case = await town.move(town.city.supervisor, case, Move.RESUME)
    moved = await clock_of(town, case, "stop_it")
    assert moved["state"] == "running"
    assert moved["due_at"] - moved["started_at"] >= timedelta(hours=3), "what stood still is not counted"  # type: ignore[operator]
    case = await town.move(owner, case, Move.ARRIVE, location=INSIDE)
    assert await live_clocks(town, case) == {"handling"}, "who is there has stopped it; the work goes on"
    case = await town.move(town.city.dispatcher, case, Move.ASSIGN, officer=owner.user_id)
    assert "stop_it" not in await live_clocks(town, case), "it is not asked for twice"
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.RETURN, reason_code="no_means")
    case = await town.move(
        town.city.dispatcher, case, Move.FORWARD,
        officer=next(each.user_id for each in town.city.officers if each != owner),
    )  # fmt: skip
    assert "stop_it" in await live_clocks(town, case), "a new owner has an hour of his own"


async def test_a_desk_s_stage_in_working_hours_runs_on_the_calendar_and_follows_its_editions(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    await limit(town, "checking", 12, "work_hour")
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    checking = await clock_of(town, case, "checking")
    assert (checking["unit"], checking["calendar"], checking["ladder"]) == ("work", "city", "checking")
    assert roughly(checking["due_at"], "2026-09-16 15:00")  # type: ignore[arg-type]
    await publish(town, ("2026.json", notice(2026, ("2026-09-16", "测试日", True))), follow=None)
    await follow(town)
    assert roughly((await clock_of(town, case, "checking"))["due_at"], "2026-09-17 15:00")  # type: ignore[arg-type]
    await city_clock.forward(at("2026-09-16 15:01") - await town.now())
    assert await town.sweep() == 0, "by the new edition it is not due yet"
