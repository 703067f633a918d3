"""The demo city's own routing rules, and who is in its crews."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gridsvc.domain.candidates import Choice
from gridsvc.domain.routing import choose_owner, sources_wanted
from gridsvc.domain.routing_check import Known, KnownTeam, check_rules
from gridsvc.ids import new_id
from gridsvc.local.city_make import make_city
from gridsvc.local.city_plan import SEED
from gridsvc.local.city_rules import EDITION, night_crews
from gridsvc.local.starter import DEPARTMENTS
from gridsvc.local.starter_categories import CATEGORIES
from gridsvc.local.starter_categories import EDITION as CATEGORY_EDITION
from tests.unit.domain.routed import CASE


def test_nothing_that_refuses_is_wrong_with_them_and_every_night_crew_has_somebody() -> None:
    city = make_city(SEED)
    crews = night_crews(city.people, {person.username: new_id() for person in city.people})
    assert all(len(crew) >= 3 for crew in crews.values())
    known = Known(
        divisions={division.code: division.path for division in city.land.divisions},
        departments={department.code: department.duty_line for department in DEPARTMENTS},
        duty_lines=frozenset({"city", "social", "sanitation"}),
        sources=frozenset(),
        teams={code: KnownTeam(duty_line="social", officers=(frozenset(),)) for code in crews},
    )
    [only] = check_rules(EDITION, known, CATEGORIES, CATEGORY_EDITION)
    assert (only.rule, only.refuses) == ("sent_by_hand", False), "no starter category is sent on by hand"


def test_what_smells_of_gas_goes_to_the_gas_company_and_anning_has_gardeners_for_its_parks() -> None:
    bin_full = replace(CASE, duty_line="city", handled_by="department", department="cleansing")
    for words, divisions, owner in (
        ("旁边闻到燃气味", CASE.divisions, "gas"),
        ("位于公园绿地内", ("620100", "620105"), "greening"),
        ("位于公园绿地内", CASE.divisions, "cleansing"),
    ):
        found = choose_owner(EDITION, replace(bin_full, words=words, divisions=divisions), {})
        assert isinstance(found, Choice)
        assert found.department == owner


def test_at_night_a_crew_of_the_district_is_asked_before_the_beat() -> None:
    night = replace(CASE, local=datetime(2026, 11, 26, 2, 30))  # noqa: DTZ001 - the city's own clocks
    assert sources_wanted(EDITION, night) == ["team:night-620102", "beat:B01"]
    assert sources_wanted(EDITION, CASE) == ["beat:B01"]
