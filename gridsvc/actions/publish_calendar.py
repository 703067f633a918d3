"""Publish a new edition of a calendar: read its sources, refuse what cannot be meant, say what it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.calendar_edition import (
    DayChange,
    Disagreement,
    Edition,
    Hours,
    Source,
    changes,
    disagreements,
    next_edition,
    read_hours,
)
from gridsvc.domain.clock import recomputed
from gridsvc.domain.roster import Fault
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import calendars, clocks
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody wants in force. `sources`: names of packages, and files with their content."""

    code: str
    sources: Sequence[tuple[str, bytes | None]]
    hours: tuple[str, bytes] | None
    years: Sequence[int]
    follow: str | None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an edition makes of the clocks that are open, were it in force now."""

    open: int
    later: int
    earlier: int
    certain: int  # provisional before, and no more
    provisional: int  # afterwards


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An edition that may be published, what it changes, and where its sources disagreed."""

    edition: Edition
    base: Edition
    days: list[DayChange]
    overruled: list[Disagreement]
    effect: Effect

    @property
    def changes_nothing(self) -> bool:
        """Whether what is in force already is the same, but for its number and where it was read from."""
        return replace(self.edition, number=self.base.number, sources=self.base.sources) == self.base


Reader = Callable[[str, bytes | None, Sequence[int], list[Fault]], Source | None]
"""Reads one source of `years`, by its name and content; None where it has named a fault."""


async def plan_calendar(conn: Conn, order: Order, read: Reader) -> Plan:
    """Read and check all of `order` against the edition in force, which stays locked; nothing is written yet.

    `read` says which sources there are: a running service reads fewer than a command.
    Raises ImportRefused with every fault, and with every day of which two sources disagree unless one of
    them is to be followed; SetupError for an order that makes no calendar.
    """
    found = await calendars.lock(conn, order.code)
    base = found or Edition(code=order.code, number=0, name="", slots={})
    faults: list[Fault] = []
    hours = read_hours(*order.hours, faults) if order.hours else Hours()
    sources = [source for each in order.sources if (source := read(*each, order.years, faults)) is not None]
    if faults:
        raise ImportRefused(
            f"nothing was published: {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            [Defect("bad_calendar", str(fault), row=fault.row, field=fault.field) for fault in faults],
        )
    _check(order, base, hours)
    hours = replace(hours, name=order.name or hours.name or base.name or order.code)
    edition = next_edition(base, hours, sources, order.follow)
    disputed = disagreements(edition, sources)
    if disputed and order.follow is None:
        raise ImportRefused(
            f"nothing was published: sources disagree about {len(disputed)} day{'s' if len(disputed) > 1 else ''}; "
            "name the one that is right with --follow",
            [Defect("sources_disagree", dispute_text(each)) for each in disputed],
            reason="sources_disagree",
        )
    book = await rulebook(conn)
    return Plan(
        edition=edition,
        base=base,
        days=changes(base.calendar(book.zone) if found else None, edition.calendar(book.zone)),
        overruled=disputed,
        effect=await _effect(conn, book, edition),
    )


async def publish_calendar(conn: Conn, plan: Plan, by: str, now: datetime) -> None:
    """Put the edition of `plan` in force, in the transaction that planned it.

    Clocks follow at once, in transactions of their own: gridsvc/actions/recompute_clocks.py.
    """
    await calendars.put_in_force(conn, plan.edition, by, now, plan.overruled)


def dispute_text(found: Disagreement) -> str:
    """One day and what each source makes of it."""
    return f"{found.day}: " + "; ".join(f"{name}: {what}" for name, what in found.said.items())


def _check(order: Order, base: Edition, hours: Hours) -> None:
    names = [name for name, _ in order.sources]
    if not names and order.hours is None and order.name is None:
        raise SetupError(
            f"nothing is said of {order.code}; want a source of days off, or --hours",
            reason="nothing_said", name=order.code,
        )  # fmt: skip
    if len(set(names)) < len(names):
        raise SetupError("a source is named twice; want each once", reason="source_twice")
    if order.follow is not None and order.follow not in names:
        raise SetupError(
            f"--follow {order.follow} is none of the sources; want one of {', '.join(names) or 'them'}",
            reason="no_such_source", name=order.follow,
        )  # fmt: skip
    if not base.slots and hours.slots is None:
        raise SetupError(
            f"calendar {order.code} has no working hours yet; want --hours with slots",
            reason="no_hours", name=order.code,
        )  # fmt: skip


async def _effect(conn: Conn, book: Rulebook, edition: Edition) -> Effect:
    book = replace(book, calendars={**book.calendars, edition.code: edition.calendar(book.zone)})
    running = await clocks.open_by_calendar(conn, edition.code)
    stood_still = await clocks.pauses(conn, [clock.id for clock in running])
    try:
        pairs = [(clock, recomputed(clock, book, stood_still.get(clock.id, ()))) for clock in running]
    except ValueError as error:  # nobody works any more: no deadline would ever come
        raise SetupError(f"open clocks would never end: {error}", reason="clocks_never_end") from error
    return Effect(
        open=len(pairs),
        later=sum(after.due_at > before.due_at for before, after in pairs),
        earlier=sum(after.due_at < before.due_at for before, after in pairs),
        certain=sum(before.provisional and not after.provisional for before, after in pairs),
        provisional=sum(after.provisional for _, after in pairs),
    )
