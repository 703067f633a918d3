"""The demo city's own routing rules: night crews of the districts, what smells of gas, and one district's parks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.roster import Team
from gridsvc.domain.routing_rules import DEFAULT, Hours, Otherwise, RoutingEdition, RoutingRule, Target, When
from gridsvc.local import city_names as names
from gridsvc.local.city_people import NIGHT
from gridsvc.local.city_plan import Person
from gridsvc.store import routing_rules
from gridsvc.store.teams import keep_members, keep_teams

GAS_WORDS: Final = ("燃气", "煤气", "天然气", "gas leak")
PARK_WORDS: Final = ("公园", "绿地", "绿化带")
PARKS_OF: Final = "620105"

_AT_NIGHT: Final = Hours(starts=NIGHT[0].starts_at, ends=NIGHT[0].ends_at)

_HAND, *_DEPARTMENTS, _BEAT = DEFAULT.rules


def _night_crew(district: str, name: str, name_en: str) -> RoutingRule:
    return RoutingRule(
        code=f"night_{district}", name=f"{name}夜间归夜班队", name_en=f"{name_en} at night: its night crew",
        when=When(duty_lines=("social",), divisions=(district,), hours=(_AT_NIGHT,)), to=Target.TEAM,
        team=f"night-{district}", otherwise=Otherwise.NEXT,
    )  # fmt: skip


EDITION: Final = RoutingEdition(
    number=0,
    name="兰州示范派遣规则",
    rules=(
        _HAND,
        RoutingRule(
            code="gas", name="描述提到燃气的归燃气公司", name_en="Whatever says gas goes to the gas company",
            when=When(duty_lines=("city",), keywords=GAS_WORDS), to=Target.DEPARTMENT, department="gas",
        ),
        RoutingRule(
            code="parks", name="安宁区公园绿地内的归园林绿化局",
            name_en="What lies in Anning's parks goes to the gardeners",
            when=When(duty_lines=("city",), divisions=(PARKS_OF,), keywords=PARK_WORDS), to=Target.DEPARTMENT,
            department="greening",
        ),
        *_DEPARTMENTS,
        *(_night_crew(district, *called) for district, called in names.DISTRICTS.items()),
        _BEAT,
    ),
)  # fmt: skip


def night_crews(people: Sequence[Person], ids: Mapping[str, UUID]) -> dict[str, list[UUID]]:
    """Who has the night shift of social governance, by team of his district."""
    crews: dict[str, list[UUID]] = {f"night-{district}": [] for district in names.DISTRICTS}
    for person in people:
        if person.grant.duty_line == "social" and person.shifts == NIGHT:
            crews[f"night-{person.grant.division[:6]}"].append(ids[person.username])
    return crews


async def load_rules(conn: Conn, people: Sequence[Person], ids: Mapping[str, UUID], now: datetime) -> None:
    """Write the crews and put the rules in force, in a city that has its people and the starter rules."""
    teams = [
        Team(code=f"night-{district}", name=f"{name}夜班队", name_en=f"{english} night crew", duty_line="social")
        for district, (name, english) in names.DISTRICTS.items()
    ]
    crews = {officer: [crew] for crew, officers in night_crews(people, ids).items() for officer in officers}
    await keep_teams(conn, teams)
    await keep_members(conn, sorted(crews), crews)
    await routing_rules.lock(conn)
    number = await routing_rules.add_draft(conn, EDITION, "command:up", now)
    await routing_rules.put_in_force(conn, number, "command:up", now)
