"""Visits of the simulated city: some are planned for today, and whoever has one makes it and fills in its form.

Pure and without memory, as gridsvc/local/simulate_rules.py is: what is found depends on the seed and the visit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from gridsvc.local.city_plan import dice
from gridsvc.local.starter_categories import PLANNED

PLANNED_AT_ONCE: Final = 6
"""Visits that an administrator plans for the simulated day."""

_MAKES_AFTER: Final = timedelta(seconds=20)
_RESULTS: Final = (("made", 0.7), ("trouble", 0.85), ("not_met", 0.95), ("refused", 1.0))


def plans_of_today(places: Sequence[tuple[float, float]], today: date) -> str:
    """The file of the plans: one of each place, of the categories of visits in turn, from today on."""
    rows = [
        f"{PLANNED[n % len(PLANNED)].code},SIM-{n:04d},{lon},{lat},1,month,{today},any"
        for n, (lon, lat) in enumerate(places)
    ]
    return "\n".join(["category,subject,lon,lat,every,unit,first_on,days", *rows])


def to_make(listed: Sequence[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """The visits that somebody has and has had for a moment, the oldest first. `listed`: open ones as listed."""
    return [
        each
        for each in sorted(listed, key=lambda one: (one["opened_at"], one["id"]))
        if each["state"] in {"assigned", "accepted", "in_progress"}
        and each["officer_id"] is not None
        and now - datetime.fromisoformat(each["opened_at"]) >= _MAKES_AFTER
    ]


def result_of(visit: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What the officer says of the visit, as `GET /api/v1/me/visits` shows it to him."""
    rng = dice(f"{seed}/visit {visit['id']}")
    drawn = rng.random()
    result = next(code for code, up_to in _RESULTS if drawn < up_to)
    said = {each["name"]: _answer(each, rng.random()) for each in visit["attributes"] if each["required"]}
    location = {"lon": visit["lon"], "lat": visit["lat"], "datum": "wgs84", "accuracy_m": 8.0}
    return {"result": result, "attributes": said, "location": location}


def _answer(attribute: Mapping[str, Any], drawn: float) -> str:
    choices = attribute["choices"]
    if choices:
        return str(choices[int(drawn * len(choices))])
    return {"number": "1", "time": "2026-01-01T08:00:00+08:00"}.get(attribute["kind"], "无")
