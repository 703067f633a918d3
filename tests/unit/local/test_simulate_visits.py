"""What simulated officers say of their visits, and which visits are planned for their day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from geo.datum import Datum
from geo.place import Bounds
from gridsvc.domain.attribute import checked, refuse_missing
from gridsvc.domain.reasons import RESULTS
from gridsvc.domain.visit_file import read_visits
from gridsvc.local.simulate_visits import plans_of_today, result_of, to_make
from gridsvc.local.starter_categories import CATEGORIES, EDITION, PLANNED
from tests.unit.domain.sample_rules import rulebook

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def visit(number: int, **changes: Any) -> dict[str, Any]:
    asked = [
        {"name": each.name, "kind": each.kind, "choices": list(each.choices), "required": each.required}
        for each in PLANNED[number % 3].attributes
    ]
    return {
        "id": f"{number}", "state": "assigned", "officer_id": "o", "lon": 103.8, "lat": 36.06, "attributes": asked,
        "opened_at": (NOW - timedelta(minutes=5)).isoformat(), **changes,
    }  # fmt: skip


def test_the_plans_of_the_day_can_be_imported_and_are_of_every_category_of_visits() -> None:
    book = rulebook(default_edition=EDITION, categories={(each.edition, each.code): each for each in CATEGORIES})
    text = plans_of_today([(103.8, 36.06)] * 6, date(2026, 11, 27))
    read = read_visits("visits.csv", text.encode(), Datum.WGS84, book, Bounds(103.7, 36.0, 103.9, 36.1))
    assert read.faults == ()
    assert {plan.category.code for plan in read.plans} == {each.code for each in PLANNED}


def test_only_what_somebody_has_had_for_a_moment_is_made() -> None:
    late = visit(1)
    others = [
        visit(2, state="filed", officer_id=None), visit(3, officer_id=None), visit(4, opened_at=NOW.isoformat()),
    ]  # fmt: skip
    assert to_make([*others, late], NOW) == [late]


def test_every_form_is_whole_and_over_many_visits_everything_but_the_end_of_a_plan_is_found() -> None:
    found = set()
    for number in range(60):
        said = result_of(visit(number), 1)
        assert said == result_of(visit(number), 1), "the same seed finds the same"
        attributes = PLANNED[number % 3].attributes
        refuse_missing(attributes, checked(attributes, said["attributes"]))
        found.add(said["result"])
    assert found == {each.code for each in RESULTS["visit"]} - {"gone"}
