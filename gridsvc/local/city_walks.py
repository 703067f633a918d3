"""Visits and patrols of the demo city, read in as a city would: from files."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from geo.datum import Datum
from gridsvc.actions.import_patrols import import_patrols
from gridsvc.actions.import_visits import import_visits
from gridsvc.db import Conn
from gridsvc.local.city_plan import City, dice
from gridsvc.local.starter_categories import PLANNED

WALKED: Final = "620105"
"""The district whose social beats are walked by plan, twice a day."""

_EVERY: Final = (("1", "month"), ("2", "week"), ("1", "week"))  # old people, hazard points, flood channels
_DAYS: Final = 20  # visits begin on so many days from tomorrow on, so that each day has some


def visits_of(city: City, today: date) -> str:
    """The file of visits: in every community one of each category, in cells drawn by the seed."""
    rng = dice(f"{city.seed}/visits")
    rows = ["category,subject,lon,lat,every,unit,first_on,days"]
    tomorrow = today + timedelta(days=1)
    communities = sorted({cell.division for cell in city.land.cells})
    for number, community in enumerate(communities):
        cells = [cell for cell in city.land.cells if cell.division == community]
        for kind, (category, (count, unit)) in enumerate(zip(PLANNED, _EVERY, strict=True)):
            place = rng.choice(cells).outline.representative_point()
            subject = f"{('ELD', 'HAZ', 'CHN')[kind]}-{number:04d}"
            first = tomorrow + timedelta(days=(number * 3 + kind) % _DAYS)
            rows.append(f"{category.code},{subject},{place.x:.6f},{place.y:.6f},{count},{unit},{first},work")
    return "\n".join(rows)


def patrols_of(city: City) -> str:
    """The file of patrols: every social beat of one district, each cell once in the early and in the late shift."""
    beats = sorted(
        beat.code for beat in city.beats if beat.duty_line == "social" and beat.division.startswith(WALKED)
    )
    return "\n".join(
        ["code,duty_line,beat,shifts", *(f"P-{code},social,{code},1-7 06:00-14:00 14:00-22:00" for code in beats)]
    )


async def load_walks(conn: Conn, city: City, today: date, now: datetime) -> None:
    """Plan visits from the day after `today` on, and patrols from now on."""
    await import_visits(conn, "visits.csv", visits_of(city, today).encode(), Datum.WGS84, "demo", now)
    await import_patrols(conn, "patrols.csv", patrols_of(city).encode(), "demo", now)
