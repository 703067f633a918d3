"""Who is told what of the live feed: the keys that a watcher carries, and what he has asked to be told of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gridsvc.domain.access import Caller, Role, area_keys, scope_keys

LISTS_OFFICERS: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})
"""Who sees the officers of his area: the people of the control centre."""


def watch_keys(caller: Caller) -> frozenset[str]:
    """All keys that open something of the feed for `caller`: of cases, of officers, of cameras, of reviews.

    Officers are for the roles of the control centre; a grant on a department opens none, and one on a duty line
    those of the line. A camera is seen from above on any axis. Reviews are for the same roles, by the keys of cases.
    """
    keys = set(scope_keys(caller))
    for grant in caller.grants:
        keys.add(f"cameras@{grant.division}")
        if grant.role in LISTS_OFFICERS and grant.department is None:
            line = "" if grant.duty_line is None else f"/line:{grant.duty_line}"
            keys.add(f"officers@{grant.division}{line}")
    desk = replace(caller, grants=tuple(grant for grant in caller.grants if grant.role in LISTS_OFFICERS))
    return frozenset(keys | {f"reviews@{key}" for key in area_keys(desk)})


@dataclass(frozen=True)
class Interest:
    """What a watcher has asked for; nothing named: all that he may see."""

    divisions: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()

    @property
    def areas(self) -> frozenset[str]:
        """Divisions and cells together: their codes do not meet."""
        return self.divisions | self.cells

    def within(self, other: Interest) -> bool:
        """Whether whoever was told what `other` names has been told all that this names."""
        return not other.areas or (bool(self.areas) and self.areas <= other.areas)


@dataclass(frozen=True)
class View:
    """What decides what a watcher is told; watchers with the same view are told the same."""

    keys: frozenset[str]
    interest: Interest = Interest()

    def shows(self, keys: Collection[str], areas: Collection[str]) -> bool:
        """Whether something with these keys, in these areas, is told. What lies nowhere is, to all who may see it."""
        if self.keys.isdisjoint(keys):
            return False
        wanted = self.interest.areas
        return not wanted or not areas or not wanted.isdisjoint(areas)


class Told(StrEnum):
    """What a watcher hears of a delta."""

    AS_IT_IS = "as_it_is"
    GONE = "gone"
    NOTHING = "nothing"


def told(
    view: View, keys: Collection[str], areas: Collection[str], was_keys: Collection[str], was_areas: Collection[str]
) -> Told:
    """What `view` hears of something that has `keys` and `areas` now and had the others before."""
    if view.shows(keys, areas):
        return Told.AS_IT_IS
    if view.shows(was_keys, was_areas):
        return Told.GONE
    return Told.NOTHING
