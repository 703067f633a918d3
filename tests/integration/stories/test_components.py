"""A report that names a component: where its case lies, who answers for it, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from geo.place import Place
from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.actions.import_components import import_components, plan_components
from gridsvc.db import transaction
from gridsvc.domain.case_state import Pool, State
from gridsvc.domain.component import read_csv
from gridsvc.domain.report import Report
from gridsvc.domain.roster import Fault
from gridsvc.errors import FarFromComponent, GridError, UnknownComponent
from gridsvc.store.cases import CaseRow
from tests.integration.small_city import INSIDE, STEP, report
from tests.integration.stories.conftest import Town

COVER = "6201020101000001"
"""A water cover in the middle cell: maintained by drainage, owned by water. The others stand beside it."""

OWNED, NOBODYS, UNSAID = "6201020101000002", "6201020101000003", "6201020101000004"

HEAD = "code,name,state,owning,maintaining,lon,lat\n"
REGISTER = f"""{HEAD}\
{COVER},上水井盖,intact,water,drainage,103.8015,36.0615
{OWNED},上水井盖,lost,power,,103.8016,36.0615
{NOBODYS},不明井盖,unknown,不明,,103.8017,36.0615
{UNSAID},上水井盖,intact,,,103.8018,36.0615
"""
AT_COVER = Place(103.8015, 36.0615)
MIDDLE_CELL = "620102001001005"


def told(what: str, done: int, of: int) -> None:
    """Progress, to nobody."""


async def register(town: Town, text: str = REGISTER) -> None:
    sheet = read_csv("register.csv", text.encode())
    assert not isinstance(sheet, Fault)
    async with transaction(town.pool) as (conn, now):
        plan = await plan_components(conn, sheet, "wgs84", partial=False, now=now, told=told)
        await import_components(conn, plan, "test", now, told)


async def code(town: Town, kind: str = "component") -> str:
    """A category of components that the department `water` handles, or one of events that a department handles."""
    (row,) = await town.rows(
        "SELECT code FROM categories WHERE kind = $1 AND handled_by = 'department'"
        " ORDER BY department IS DISTINCT FROM 'water', code LIMIT 1",
        kind,
    )
    return str(row["code"])


async def about(town: Town, component: str, place: Place | None = None, kind: str = "component") -> Report:
    said = report(town.city.officers[0], await code(town, kind), place)
    return replace(said, component=component, desk=None)


async def refused(town: Town, said: Report) -> GridError:
    (answer,) = await town.file(said)
    assert isinstance(answer, GridError), answer
    assert await town.rows("SELECT id FROM cases") == []
    return answer


async def test_a_component_says_where_the_case_is(town: Town) -> None:
    await register(town)
    case = await town.filed(await about(town, COVER))
    assert (case.component, case.cell_code, case.state) == (COVER, MIDDLE_CELL, State.FILED)
    assert (case.lon, case.lat) == (AT_COVER.lon, AT_COVER.lat)
    assert (await town.case(case.id)).component == COVER
    (entry,) = await town.rows("SELECT facts FROM history WHERE case_id = $1", case.id)
    assert (entry["facts"]["component"], entry["facts"]["component_distance_m"]) == (COVER, None)


async def test_the_surveyed_place_counts_before_the_phones_and_the_distance_is_kept(town: Town) -> None:
    """The phone stands in the neighbouring cell, 67 m off."""
    await register(town)
    phone = Place(AT_COVER.lon, 36.0611 - 0.0002)
    case = await town.filed(await about(town, COVER, phone))
    assert (case.cell_code, case.lat) == (MIDDLE_CELL, AT_COVER.lat)
    (row,) = await town.rows("SELECT component, component_distance_m, ST_Y(place) AS lat FROM reports")
    assert (row["component"], row["lat"]) == (COVER, phone.lat)
    assert row["component_distance_m"] == pytest.approx(66.6, abs=0.1)


@pytest.mark.parametrize(("accuracy_m", "taken"), [(None, False), (50.0, False), (90.0, True), (5_000.0, True)])
async def test_too_far_from_the_component_is_refused_unless_the_phone_knows_no_better(
    town: Town, accuracy_m: float | None, taken: bool
) -> None:
    """0.0016 degrees of latitude are 177.5 m; the limit is 100 m and the accuracy, of which 100 m count at most."""
    await register(town)
    said = await about(town, COVER, Place(AT_COVER.lon, AT_COVER.lat - 0.0016, accuracy_m))
    if taken:
        assert (await town.filed(said)).cell_code == MIDDLE_CELL
        return
    error = await refused(town, said)
    assert isinstance(error, FarFromComponent)
    assert error.facts["distance_m"] == pytest.approx(177.5, abs=0.3)


async def test_a_component_that_no_register_knows_is_refused(town: Town) -> None:
    await register(town)
    assert isinstance(await refused(town, await about(town, "6201029999999999", AT_COVER)), UnknownComponent)


async def test_a_batch_of_reports_with_and_without_components_keeps_its_order(town: Town) -> None:
    await register(town)
    plain = report(town.city.officers[0], await code(town), INSIDE)
    answers = await town.file(
        plain, await about(town, COVER), await about(town, "6201029999999999"), await about(town, COVER, AT_COVER)
    )
    assert [type(answer) for answer in answers] == [Taken, Taken, UnknownComponent, Taken]
    assert [answer.case.component for answer in answers if isinstance(answer, Taken)] == [None, COVER, COVER]


async def asked(town: Town, *reports: Report) -> list[str]:
    """The statements that filing these reports together sends, in order."""
    seen: list[str] = []
    async with transaction(town.pool) as (conn, now):
        with conn.query_logger(lambda record: seen.append(record.query)):
            await file_reports(conn, reports, town.numbers, now)
    return seen


async def test_filing_asks_the_register_once_per_batch_and_only_when_a_component_is_named(town: Town) -> None:
    await register(town)
    plain = await code(town)
    await asked(town, report(town.city.officers[0], plain))  # the rules are read once, and kept
    without = await asked(town, *[report(town.city.officers[0], plain) for _ in range(3)])
    named = await asked(town, *[await about(town, COVER, AT_COVER) for _ in range(3)])
    assert not any("components" in query for query in without)
    assert len(named) == len(without) + 1


async def routed(town: Town, component: str, kind: str = "component") -> tuple[CaseRow, str, Sequence[str]]:
    case = await town.route((await town.filed(await about(town, component, kind=kind))).id)
    asked = "SELECT coalesce(reasons ->> 'by', rule) AS rule FROM assignments WHERE case_id = $1"
    rules = await town.rows(asked, case.id)
    why = [getattr(news, "why", "") for news in await town.told(case.id)]
    return case, rules[0]["rule"] if rules else "", [each for each in why if each]


@pytest.mark.parametrize(
    ("component", "department", "rule"),
    [
        (COVER, "drainage", "maintainer_of_the_component"),
        (OWNED, "power", "owner_of_the_component"),
        (UNSAID, "water", "department_of_the_category"),
    ],
)
async def test_a_case_goes_to_whoever_answers_for_the_component(
    town: Town, component: str, department: str, rule: str
) -> None:
    await register(town)
    case, by, _ = await routed(town, component)
    assert (case.state, case.department, by) == (State.ASSIGNED, department, rule)


async def test_nobodys_component_waits_in_the_pool_with_the_reason_until_the_register_knows(town: Town) -> None:
    await register(town)
    case, _, why = await routed(town, NOBODYS)
    assert (case.state, case.pool) == (State.FILED, Pool.DISPATCH)
    assert why == [f"nobody knows whose component {NOBODYS} is (不明)"]
    await register(town, HEAD + f"{NOBODYS},上水井盖,intact,water,,103.8017,36.0615\n")
    assert (await town.route(case.id)).department == "water"


async def test_an_event_at_a_component_is_not_the_components(town: Town) -> None:
    """Flyers on a lamp: the lamp says where, the category says who."""
    await register(town)
    case, rule, _ = await routed(town, COVER, kind="event")
    assert (case.component, rule) == (COVER, "department_of_the_category")


async def test_a_grid_that_shrank_refuses_the_component_left_outside(town: Town) -> None:
    await register(town)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("DELETE FROM beat_cells WHERE cell_code = $1", MIDDLE_CELL)
        await conn.execute("DELETE FROM cells WHERE code = $1", MIDDLE_CELL)
    assert (await refused(town, await about(town, COVER))).code == "outside_the_grid"


def test_the_middle_cell_is_the_middle_one() -> None:
    assert MIDDLE_CELL.endswith(str(1 * 3 + 1 + 1).rjust(3, "0"))
    assert AT_COVER.lon == pytest.approx(103.8 + 1.5 * STEP)
