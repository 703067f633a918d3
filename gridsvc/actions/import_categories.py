"""Read a list of categories, say what it would change, and publish it as a new edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.category import Category
from gridsvc.domain.category_changes import Changes, changes_between
from gridsvc.domain.category_file import Fault, Handler, Listing, Reading, read_categories, read_handlers
from gridsvc.domain.deadline import LimitUnit, longest_limits
from gridsvc.domain.sheet import Sheet, Unreadable, read_csv
from gridsvc.domain.workbook import is_workbook, read_workbook
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import categories
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to read and how. Files are name and content; `against` None: the edition in force."""

    file: tuple[str, bytes]
    edition: str
    departments: tuple[str, bytes] | None = None
    units: Mapping[str, LimitUnit]
    calendar: str | None = None
    against: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A list that was read against the city: what it holds, what is wrong, what it would change.

    `open_cases` counts those on each category of the edition `against`; they stay on it.
    """

    listing: Listing
    against: str | None
    changes: Changes
    open_cases: Mapping[str, int]


async def plan_categories(conn: Conn, order: Order) -> Plan:
    """Read and compare; nothing is written. Raises ImportRefused for a file that is no table."""
    book = await rulebook(conn)
    known = replace(await categories.known(conn), longest=longest_limits(book.calendars.values()))
    faults: list[Fault] = []
    handlers: dict[str, Handler] = {}
    if order.departments is not None:
        [sheet] = _sheets(*order.departments)[:1]
        handlers, faults = read_handlers(sheet, known)
    against = order.against or book.default_edition
    before = [each for each in book.categories.values() if each.edition == against]
    usual = {each.calendar for each in before}
    calendar = order.calendar or (usual.pop() if len(usual) == 1 else None)
    reading = Reading(edition=order.edition, handlers=handlers, units=order.units, calendar=calendar)
    listing = read_categories(_sheets(*order.file), reading, known)
    if order.against is not None and not before:
        raise SetupError(
            f"there is no edition {order.against!r} to compare with", reason="no_such_edition", name=order.against
        )
    return Plan(
        listing=Listing(categories=listing.categories, faults=(*faults, *listing.faults)),
        against=against,
        changes=changes_between(before, listing.categories),
        open_cases=await categories.open_cases(conn, against) if against else {},
    )


def _sheets(name: str, content: bytes) -> list[Sheet]:
    try:
        sheets = read_workbook(name, content) if is_workbook(content) else [read_csv(name, content)]
    except Unreadable as wrong:
        message = f"{name}: {wrong}"
        raise ImportRefused(message, [Defect("unreadable", message)]) from None
    if not sheets:
        raise ImportRefused(f"{name} has no visible sheet", [Defect("unreadable", f"{name} has no visible sheet")])
    return sheets


async def publish_categories(
    conn: Conn, plan: Plan, name: str, source: str, now: datetime, *, partial: bool, default: bool
) -> None:
    """Publish what `plan` holds as a new edition; with `default` it is from now on the one that reports mean.

    Cases keep the edition they were filed under. Raises ImportRefused with every fault unless `partial`, and
    SetupError for an edition that exists: a published one never changes.
    """
    listing = plan.listing
    if not listing.categories or (listing.faults and not partial):
        count = len(listing.faults)
        raise ImportRefused(
            f"nothing was published: {count} fault{'s' if count > 1 else ''}; "
            "mend the rows, or leave their categories out with --partial",
            [Defect("bad_row", str(fault), field=fault.field) for fault in listing.faults],
        )
    await categories.publish_alone(conn)
    edition = listing.categories[0].edition
    await _must_be_new(conn, edition)
    await categories.add_edition(conn, edition, name or edition, source, listing.categories, now, default=default)


async def _must_be_new(conn: Conn, edition: str) -> None:
    if any(each.code == edition for each in await categories.EDITIONS.all(conn)):
        raise SetupError(
            f"edition {edition!r} is published and never changes; choose another --edition",
            reason="edition_published", name=edition,
        )  # fmt: skip


async def edition_in_force(conn: Conn, edition: str | None) -> list[Category]:
    """The categories of an edition, by code; None: of the one in force. Raises SetupError for one that is not there."""
    book = await rulebook(conn)
    wanted = edition or book.default_edition
    found = [each for each in book.categories.values() if each.edition == wanted]
    if not found:
        raise SetupError(f"there is no edition {wanted!r} of categories", reason="no_such_edition", name=wanted)
    return found
