"""Ladders as editions: keep a draft, look what it would change, put it in force, go back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.clock import follow_ladders, recomputed
from gridsvc.domain.ladder_file import Ladders, read_ladders, write_ladders
from gridsvc.domain.roster import Fault
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import clocks, ladders
from gridsvc.store.ladders import LadderEdition
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True)
class CheckedLadders:
    """What a file holds, and what of it is odd without being wrong."""

    ladders: Ladders
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True)
class LadderEffect:
    """What an edition would make of the clocks that are open now."""

    open: int
    other_ladder: int  # clocks that would stand on a ladder of another name
    earlier: int  # clocks whose next rung would come earlier, or would come at all
    later: int  # later, or not any more
    at_once: Mapping[str, int]  # by ladder: clocks whose next rung would be due now, and is not by the one in force


async def check_ladders(conn: Conn, file: str, content: bytes, now: datetime) -> CheckedLadders:
    """Read a file against the city as it is. Raises ImportRefused with every fault where one refuses."""
    read, faults = read_ladders(file, content, await ladders.known(conn, now))
    refusing = [fault for fault in faults if fault.refuses]
    if refusing:
        raise ImportRefused(
            f"nothing was imported: {len(refusing)} fault{'s' if len(refusing) > 1 else ''}; mend the file",
            [Defect("bad_row", str(fault), row=None, field=fault.field) for fault in refusing],
        )
    return CheckedLadders(read, faults)


async def import_ladders(
    conn: Conn, file: str, content: bytes, by: str, now: datetime
) -> tuple[int, CheckedLadders]:
    """Keep a file as a new draft; its number, and its warnings. Every import is a draft of its own."""
    checked = await check_ladders(conn, file, content, now)
    await ladders.lock(conn)
    return await ladders.add_draft(conn, checked.ladders, by, now), checked


async def read_edition(conn: Conn, edition: int | None) -> LadderEdition:
    """One edition whole; None: the one in force. Raises SetupError where there is no such."""
    found = await ladders.in_force(conn) if edition is None else await ladders.read(conn, edition)
    if found is None:
        raise SetupError(f"there is no edition {edition} of the ladders; gridsvc ladders list names them")
    return found


async def preview_ladders(conn: Conn, edition: int, now: datetime) -> LadderEffect:
    """What would become of every open clock if `edition` were published now. Changes nothing."""
    given = await read_edition(conn, edition)
    book = await rulebook(conn)
    there = replace(
        book,
        ladders=given.ladders,
        ladder_uses=given.uses,
        ladder_edition=-1 if given.edition == book.ladder_edition else given.edition,
    )
    running = await ladders.open_clocks(conn)
    stood_still = await clocks.pauses(conn, [each.clock.id for each in running])
    moved: Counter[str] = Counter()
    at_once: Counter[str] = Counter()
    for each in running:
        before, pauses = each.clock, stood_still.get(each.clock.id, ())
        followed = follow_ladders(
            before, there, book.categories[each.category], each.divisions, each.department
        )
        after = recomputed(followed, there, pauses)
        moved["other_ladder"] += before.ladder != after.ladder
        moved["earlier"] += _when(after.next_fire_at) < _when(before.next_fire_at)
        moved["later"] += _when(after.next_fire_at) > _when(before.next_fire_at)
        if _when(after.next_fire_at) <= now.timestamp() < _when(before.next_fire_at):
            at_once[after.ladder] += 1
    return LadderEffect(
        open=len(running),
        other_ladder=moved["other_ladder"],
        earlier=moved["earlier"],
        later=moved["later"],
        at_once=dict(sorted(at_once.items())),
    )


def _when(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()


async def publish_ladders(conn: Conn, edition: int, by: str, now: datetime) -> int:
    """Put an edition in force; the one that was. Open clocks follow in `recompute_clocks`.

    Rungs that fired stay fired. What was checked at the import is checked again: departments, divisions and
    limits may have changed since. Raises SetupError where it is in force or unknown, ImportRefused with the faults.
    """
    await ladders.lock(conn)
    given = await read_edition(conn, edition)
    if (await ladders.in_force(conn)).edition == edition:
        raise SetupError(f"edition {edition} of the ladders is in force already")
    await _fits(conn, given, now)
    return await ladders.put_in_force(conn, edition, by, now)


async def roll_back_ladders(conn: Conn, by: str, now: datetime) -> tuple[int, int]:
    """Put the edition before in force again; the one that was, and the one that is.

    Raises SetupError where none was in force before.
    """
    await ladders.lock(conn)
    edition = await ladders.before(conn)
    if edition is None:
        raise SetupError("no edition of the ladders was in force before this one; publish another one instead")
    await _fits(conn, await read_edition(conn, edition), now)
    return await ladders.put_in_force(conn, edition, by, now), edition


async def _fits(conn: Conn, given: LadderEdition, now: datetime) -> None:
    """Whether the city still has what the edition names."""
    text = write_ladders(given.name, given.ladders, given.uses)
    await check_ladders(conn, f"edition {given.edition}", text.encode(), now)
