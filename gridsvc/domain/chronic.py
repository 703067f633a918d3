"""Chronic spots (反复发生点): the same class of thing at the same place again, soon after it was closed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, floor, radians
from typing import Final
from uuid import UUID

from geo.place import Place
from geo.projection import metres_between

AGAIN_WITHIN_DAYS: Final = 30
"""How soon after a closing something is the same trouble again, where nobody says otherwise."""

_METRES_OF_A_DEGREE: Final = 110_000.0  # of latitude; a little less than anywhere on the ellipsoid


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A filed case, as grouping sees it. `radius_m` is its category's: within it two are at the same place."""

    id: UUID
    edition: str
    category: str
    place: Place
    radius_m: float
    reported_at: datetime
    closed_at: datetime | None


@dataclass
class Spot:
    """Cases at one place, one after the other. The first of them is the anchor: it says where the place is."""

    members: list[Seen] = field(default_factory=list)

    @property
    def anchor(self) -> Seen:
        """The first case."""
        return self.members[0]

    @property
    def last(self) -> Seen:
        """The latest case."""
        return self.members[-1]


def spots_of(seen: Iterable[Seen], within: timedelta) -> list[Spot]:
    """The spots of two cases and more, the most cases first, then the latest, then by the id of the anchor.

    Cases are taken in the order in which they were reported (on a tie: of their ids). One joins a spot of its own
    class whose anchor is not farther away than the radius, and whose latest case was closed before it was reported,
    not longer than `within` ago: the nearest such spot, on a tie the one with the older anchor. A case that is
    reported while the spot's latest is still open is the same trouble and not a new one: it counts nowhere.
    """
    cases = sorted(seen, key=lambda each: (each.reported_at, each.id))
    squares = _Squares(cases)
    spots: list[Spot] = []
    for case in cases:
        near = squares.near(case)
        again = next((spot for _, spot in near if _again(spot.last, case, within)), None)
        if again is not None:
            again.members.append(case)
        elif not any(_goes_on(spot.last, case) for _, spot in near):
            spots.append(Spot([case]))
            squares.add(spots[-1])
    found = [spot for spot in spots if len(spot.members) > 1]
    return sorted(found, key=lambda each: (-len(each.members), -each.last.reported_at.timestamp(), each.anchor.id))


def _again(before: Seen, case: Seen, within: timedelta) -> bool:
    closed = before.closed_at
    return closed is not None and closed <= case.reported_at <= closed + within


def _goes_on(before: Seen, case: Seen) -> bool:
    return before.closed_at is None or before.closed_at > case.reported_at


class _Squares:
    """Spots by class and by square, so that a case is compared with the few that lie around it."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        # One width for all, by the latitude at which a degree is narrowest: neighbours must have the same squares.
        self._narrowest = cos(radians(max((abs(each.place.lat) for each in seen), default=0.0)))
        self._spots: dict[tuple[str, str, int, int], list[Spot]] = defaultdict(list)

    def add(self, spot: Spot) -> None:
        """Keep a new spot in the square of its anchor."""
        self._spots[self._around(spot.anchor)[0]].append(spot)

    def near(self, case: Seen) -> list[tuple[float, Spot]]:
        """Spots of the class whose anchor lies within the radius, and how far away it lies; the nearest first."""
        found = [
            (away, spot)
            for square in self._around(case)
            for spot in self._spots.get(square, ())
            for away in [metres_between(case.place, spot.anchor.place)]
            if away <= case.radius_m
        ]
        return sorted(found, key=lambda pair: (pair[0], pair[1].anchor.reported_at, pair[1].anchor.id))

    def _around(self, case: Seen) -> list[tuple[str, str, int, int]]:
        """The case's own square, then the eight around it; a side is at least as long as the radius."""
        north = max(case.radius_m, 1.0) / _METRES_OF_A_DEGREE
        x, y = floor(case.place.lon / (north / self._narrowest)), floor(case.place.lat / north)
        steps = [(0, 0), *((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if (dx, dy) != (0, 0))]
        return [(case.edition, case.category, x + dx, y + dy) for dx, dy in steps]
