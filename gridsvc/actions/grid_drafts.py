"""What every change of a grid set asks first, and how a set is refused. Reads no files: a service may use it."""

from __future__ import annotations

from collections.abc import Sequence

from geo.defects import Defect
from gridsvc import errors
from gridsvc.db import Conn
from gridsvc.store import grids


def refusal(message: str, defects: Sequence[Defect]) -> errors.ImportRefused:
    """The error that carries a set's defects, those that refuse first."""
    ordered = sorted(defects, key=lambda d: not d.refuses)
    plain = [errors.Defect(str(d.kind), _told(d), d.row, None, d.refuses) for d in ordered]
    return errors.ImportRefused(message, plain, found=tuple(ordered))


def _told(defect: Defect) -> str:
    place = "" if defect.place is None else f"at {defect.place[0]:.6f},{defect.place[1]:.6f}: "
    return place + defect.message


def need_draft(known: grids.GridSet) -> None:
    """Only a draft may change: raises SetupError for any other set."""
    if known.state != "draft":
        raise errors.SetupError(
            f"{known.name} is {known.state}: it does not change any more; want another --set",
            reason="not_a_draft", name=known.name,
        )  # fmt: skip


async def need_duty_line(conn: Conn, duty_line: str | None) -> str:
    """The duty line, if it is known: raises SetupError naming those that are."""
    known = await grids.duty_lines(conn)
    if duty_line is None or duty_line not in known:
        wanted = f"one of {', '.join(known)}" if known else "one that exists; there is none yet"
        raise errors.SetupError(
            f"given duty line {duty_line!r}; want {wanted}", reason="no_such_line", name=duty_line or ""
        )
    return duty_line
