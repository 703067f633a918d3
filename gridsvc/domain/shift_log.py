"""The book of the shift (交接班日志): whose desk an entry is of, who writes in it, and who takes a shift over. Pure."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from gridsvc.domain.access import Caller, Role, Whereabouts, roles_over
from gridsvc.errors import GuardFailed, NotAllowed

WRITERS: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR})
"""Who sits at a desk: they write, and take over from each other."""


def own_desk(caller: Caller) -> tuple[str, str | None]:
    """The division and duty line of the first desk that `caller` holds; None: all lines. Raises NotAllowed."""
    for grant in caller.grants:
        if grant.role in WRITERS and grant.department is None:
            return grant.division, grant.duty_line
    raise NotAllowed("the book of the shift is written at a desk; you hold none", roles=sorted(WRITERS))


def of_desk(caller: Caller, path: list[str], duty_line: str | None) -> Whereabouts:
    """Where an entry of the desk at the end of `path` lies. Raises NotAllowed where `caller` does not sit."""
    where = Whereabouts(divisions=path, duty_line=duty_line or "")
    if not roles_over(caller, where) & WRITERS:
        raise NotAllowed(f"you sit at no desk over {path[-1]}", division=path[-1], duty_line=duty_line)
    return where


def check_taking(*, hand_over: bool, written_by: UUID, by: UUID) -> None:
    """Whether `by` may sign for an entry. Raises GuardFailed for a plain note, and for who wrote it himself."""
    if not hand_over:
        raise GuardFailed("this is a note and no hand-over; nobody signs for it", guard="is_hand_over")
    if written_by == by:
        raise GuardFailed("who hands over does not take over from himself; want another person", guard="another_person")
