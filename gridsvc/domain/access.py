"""Who may see which case, and as what: grants, the keys they give, and the keys that open a case.

A role holds for a division and everything below it, and there for one department, one duty line,
or all. The same keys are used in the queries and by row-level security (schema.sql, "Who sees what").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from uuid import UUID


class Role(StrEnum):
    """What a person is, for a part of the city."""

    OFFICER = "officer"
    HANDLER = "handler"
    ACCEPTOR = "acceptor"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One role of a caller: for `division` and below, on one axis or (both None) on all."""

    role: Role
    division: str
    department: str | None = None
    duty_line: str | None = None


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever is asking: a signed-in user, or a program with an API key.

    `id` is what is written into histories: `user:<uuid>` or `key:<uuid>`. `scopes` are an API
    key's; a user has none and needs none. A key acts with the roles in `grants` too.
    """

    id: str
    grants: tuple[Grant, ...]
    user_id: UUID | None = None
    scopes: frozenset[str] = frozenset()

    @cached_property  # asked several times in every request, and nothing of it can change
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere."""
        return frozenset(grant.role for grant in self.grants)


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """What decides who may see a case."""

    divisions: Sequence[str]  # from the top down; empty while the place is unknown
    duty_line: str
    department: str | None = None
    co_departments: Sequence[str] = ()  # that have or had a part of it: they see it, and no more than that
    officer: UUID | None = None
    handler: UUID | None = None
    checker: UUID | None = None  # who was sent to look at it, until he has
    called: Sequence[UUID] = ()  # with whom it rings
    responder: UUID | None = None  # who was called to be first on the scene, and accepted
    reported_by: str | None = None
    desk_path: Sequence[str] = ()  # down to the division whose desk holds it while the place is unknown
    held_by: str | None = None  # the level it was referred up or handed down to; None: no level has it for itself

    def areas(self) -> Sequence[str]:
        """The divisions that have it, from the top down: those above the level that holds it, and that level."""
        if not self.divisions:
            return self.desk_path
        if self.held_by not in self.divisions:
            return self.divisions
        return self.divisions[: self.divisions.index(self.held_by) + 1]


def scope_keys(caller: Caller) -> list[str]:
    """The keys that `caller` carries, sorted: their own, and one per grant."""
    return sorted({caller.id, *area_keys(caller)})


def area_keys(caller: Caller) -> list[str]:
    """The keys of a caller's grants alone, sorted: everybody who holds the same grants has the same."""
    return sorted({_area_key(grant.division, grant.department, grant.duty_line) for grant in caller.grants})


def case_keys(case: Whereabouts) -> list[str]:
    """The keys that open `case`, sorted.

    A case without a place is opened by the division of its desk and those above it, on all axes; without a
    desk only by whoever reported it. One that a level holds is opened by that level and those above it.
    """
    keys: set[str] = set()
    for division in case.areas():
        keys.add(_area_key(division, None, None))
        keys.add(_area_key(division, None, case.duty_line))
        keys.update(_area_key(division, each, None) for each in (case.department, *case.co_departments) if each)
    people = (case.officer, case.handler, case.checker, case.responder, *case.called)
    keys.update(f"user:{person}" for person in people if person is not None)
    if case.reported_by:
        keys.add(case.reported_by)
    return sorted(keys)


def roles_over(caller: Caller, case: Whereabouts) -> frozenset[Role]:
    """The roles that `caller` holds for this very case; none when their areas do not meet."""
    areas = set(case.areas())
    return frozenset(grant.role for grant in caller.grants if grant.division in areas and _axis_meets(grant, case))


def _axis_meets(grant: Grant, case: Whereabouts) -> bool:
    if grant.department is not None:
        return grant.department == case.department
    return grant.duty_line is None or grant.duty_line == case.duty_line


def _area_key(division: str, department: str | None, duty_line: str | None) -> str:
    if department is not None:
        return f"{division}/dept:{department}"
    return division if duty_line is None else f"{division}/line:{duty_line}"


def holds_any(caller: Caller, roles: Iterable[Role]) -> bool:
    """Whether `caller` has one of `roles` anywhere."""
    return not caller.roles.isdisjoint(roles)
