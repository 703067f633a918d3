"""A point on the ground that can be trusted to be one: read once, in WGS-84 from then on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from geo.datum import Datum, to_wgs84

BadPlaceReason = Literal["swapped_axes", "null_island", "far_away", "not_finite", "datum_missing", "out_of_range"]

FAR_M: Final = 100_000.0
"""Beyond this distance from the city a place is a mistake, not a report from the outskirts."""

NULL_ISLAND_M: Final = 1_000.0
"""Devices without a fix say 0,0, some with the noise of an unset receiver."""

_METRES_PER_DEGREE: Final = 111_195.0  # of latitude, mean; the margins above are not measured more finely


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS-84 degrees; `accuracy_m` is the radius its sender vouches for, None where unknown."""

    lon: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box in WGS-84 degrees. It cannot cross the 180th meridian."""

    west: float
    south: float
    east: float
    north: float

    def reaches(self, lon: float, lat: float, margin_m: float = 0.0) -> bool:
        """Whether a point lies in the box or within about `margin_m` of it."""
        up = margin_m / _METRES_PER_DEGREE
        across = up / max(0.01, math.cos(math.radians(min(89.0, max(abs(self.south), abs(self.north))))))
        return self.west - across <= lon <= self.east + across and self.south - up <= lat <= self.north + up


class BadPlace(ValueError):
    """A pair of numbers that cannot be a place here; `reason` is for programs, the message for people."""

    def __init__(self, reason: BadPlaceReason, given: str, wanted: str) -> None:
        super().__init__(f"{reason}: given {given}; want {wanted}")
        self.reason: BadPlaceReason = reason
        self.given = given
        self.wanted = wanted


def read_place(
    lon: float, lat: float, datum: str | None, accuracy_m: float | None = None, city: Bounds | None = None
) -> Place:
    """Read what a sender wrote as a place in WGS-84, or raise BadPlace.

    `lon` and `lat` are degrees in `datum` (a name of geo.datum.Datum; there is no default).
    `accuracy_m` is metres, zero or more. `city` is where the published grid lies: with it, places
    more than 100 km away are refused, as swapped_axes where the swapped pair would not have been.
    Without it, only what is wrong anywhere on earth is found.
    """
    given = f"lon {lon!r}, lat {lat!r}"
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise BadPlace("not_finite", given, "two finite numbers of degrees")
    if accuracy_m is not None and not math.isfinite(accuracy_m):
        raise BadPlace("not_finite", f"accuracy {accuracy_m!r} m", "a finite number of metres, or none")
    if accuracy_m is not None and accuracy_m < 0:
        raise BadPlace("out_of_range", f"accuracy {accuracy_m!r} m", "0 m or more, or none")
    if datum not in _DATUMS:
        raise BadPlace("datum_missing", f"datum {datum!r}", "one of " + ", ".join(Datum))
    frame = _DATUMS[datum]
    here = _checked(lon, lat, frame, city, given)
    return Place(here[0], here[1], accuracy_m)


_DATUMS: Final[dict[str | None, Datum]] = {str(datum): datum for datum in Datum}


def _checked(lon: float, lat: float, datum: Datum, city: Bounds | None, given: str) -> tuple[float, float]:
    on_earth = abs(lon) <= 180 and abs(lat) <= 90
    if on_earth and math.hypot(lon, lat) * _METRES_PER_DEGREE <= NULL_ISLAND_M:
        raise BadPlace("null_island", given, "the place itself: 0,0 is what a receiver says that has none")
    here = to_wgs84(lon, lat, datum) if on_earth else (lon, lat)
    if on_earth and (city is None or city.reaches(*here, FAR_M)):
        return here
    if city is not None and abs(lon) <= 90 and abs(lat) <= 180 and city.reaches(*to_wgs84(lat, lon, datum), FAR_M):
        raise BadPlace("swapped_axes", given, f"longitude first: lon {lat!r}, lat {lon!r} would be in the city")
    if city is None or not on_earth:
        raise BadPlace("out_of_range", given, "lon from -180 to 180 and lat from -90 to 90")
    raise BadPlace(
        "far_away",
        given,
        f"within {FAR_M / 1000:.0f} km of the city: "
        f"lon {city.west:.4f} to {city.east:.4f}, lat {city.south:.4f} to {city.north:.4f}",
    )
