"""A survey car of the demo city: it drives along the streets and posts what it sees, each with its own position.

It speaks a JSON of its own, which the city reads with a mapping (docs/cameras/other-json.md). Pure: the same seed and
looks give the same messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from geo.datum import Datum, from_wgs84
from gridsvc.local.city_plan import dice
from gridsvc.local.simulate_cameras import KINDS

MAPPING_NAME: Final = "survey-car"
MAPPING: Final[dict[str, Any]] = {
    "items": "sightings",
    "moving": True,
    "rules": {
        "kind": "what", "time": "seen_at", "lon": "gps[0]", "lat": "gps[1]", "datum": {"constant": "gcj02"},
        "incident": "no", "score": "sure", "field.road": "road",
    },
}  # fmt: skip
"""How the city reads the car: its receiver tells GCJ-02, as those of domestic maps do."""

_AWAY_DEG: Final = 0.6  # some 60 km: it has left the city and goes on posting
_AWAY_EVERY: Final = 12

Place = tuple[float, float]


@dataclass
class SurveyCar:
    """One car; each look tells what it sends now, if anything."""

    seed: int
    run: str
    streets: Sequence[Place]  # where it may come along, WGS-84
    chance: float  # that a look sees something
    sightings: int = 0
    incidents: int = 0  # of them inside the city
    _looks: int = 0

    def look(self, moment: str) -> dict[str, Any] | None:
        """The message of one look, with its time as the car tells it; None where nothing was seen."""
        rng = dice(f"{self.seed}/survey/{self.run}/{self._looks}")
        self._looks += 1
        if rng.random() >= self.chance:
            return None
        self.sightings += 1
        away = self.sightings % _AWAY_EVERY == 0
        self.incidents += not away
        lon, lat = rng.choice(self.streets)
        east, north = from_wgs84(lon + (_AWAY_DEG if away else 0), lat, Datum.GCJ02)
        seen = {
            "no": f"{self.run}/{self.sightings}", "what": rng.choice(KINDS), "seen_at": moment,
            "gps": [round(east, 7), round(north, 7)], "sure": rng.randint(60, 99), "road": "巡查路线",
        }  # fmt: skip
        return {"car": "1", "sightings": [seen]}
