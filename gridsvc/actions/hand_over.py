"""What handing a case over to a colleague (交接) asks besides the table of moves."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gridsvc.actions.record_move import NewOwner
from gridsvc.db import Conn
from gridsvc.domain.case_state import Move, Particulars
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import GuardFailed
from gridsvc.store import duty
from gridsvc.store.cases import CaseRow

HANDED_OVER: Final = "handed_over"
"""The rule of the new assignment, and why the one before it ended: neither returned nor let pass."""

RELIEVED: Final = "relieved"
"""Why an assignment ended whose officer had left: he may get the case again in his next shift."""


async def check_colleague(conn: Conn, said: Particulars, now: datetime) -> None:
    """Whether the named colleague is there to take it: on duty, neither absent nor off shift."""
    assert said.officer is not None  # noqa: S101 - the table demands it
    standing = (await duty.standings(conn, [said.officer], now)).get(said.officer)
    if standing is None or not standing.duty.there:
        raise GuardFailed(
            f"officer {said.officer} is not there: off duty, absent or off shift; want a colleague who is on duty",
            move=str(Move.HAND_OVER), guard="colleague_is_there", given=str(said.officer),
        )  # fmt: skip


def handed_over_to(book: Rulebook, locked: CaseRow, said: Particulars) -> NewOwner:
    """The colleague as the owner from now on; the reasons name from whom, and the note."""
    return NewOwner(
        officer_id=said.officer,
        department=None,
        rule=HANDED_OVER,
        edition=book.routing.number,
        reasons={"from_officer": str(locked.officer_id), "note": said.note},
    )
