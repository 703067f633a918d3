"""Ladders of the demo city's own: calmer, steeper, one department's, one district's; its second edition, in force."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gridsvc.db import Conn
from gridsvc.domain.case_state import Clock
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import OWNER, After, Axis, Effect, Hearing, Rung
from gridsvc.domain.ladder import LadderUse
from gridsvc.domain.ladder_file import Ladders
from gridsvc.store import ladders

_OWNER: Final = Hearing(role=OWNER)
_SOMETIME: Final = After(amount=4, unit=LimitUnit.WORK_HOUR)


def _of(level: str, role: str = "supervisor", axis: Axis = Axis.BLOCK) -> Hearing:
    return Hearing(role=role, division_level=level, axis=axis)


def _ladder(code: str, *steps: tuple[float | After, Effect, tuple[Hearing, ...], int]) -> tuple[Rung, ...]:
    return tuple(
        Rung(
            ladder=code, level=level, share=moment if isinstance(moment, float) else None,
            after=None if isinstance(moment, float) else moment, effect=effect, role=hears[0].role,
            division_level=hears[0].division_level, axis=hears[0].axis, also=hears[1:], repeats=repeats,
        )
        for level, (moment, effect, hears, repeats) in enumerate(steps, start=1)
    )  # fmt: skip


OWN: Final = {
    "calm": _ladder(
        "calm",
        (1.0, Effect.OVERDUE, (_OWNER,), 0),
        (1.5, Effect.OVERDUE, (_of("street", "dispatcher"),), 0),
        (3.0, Effect.CLIMB, (_of("street"),), 0),
    ),
    # At the hours of the starter's, heard by more, and at the end again and again.
    "steep": _ladder(
        "steep",
        (0.75, Effect.WARNING, (_OWNER, _of("street", "dispatcher")), 0),
        (1.0, Effect.OVERDUE, (_of("street", "dispatcher"), _of("street")), 0),
        (1.25, Effect.CLIMB, (_of("street"), _of("district", "dispatcher")), 0),
        (1.5, Effect.CLIMB, (_of("district"),), 0),
        (2.0, Effect.CLIMB, (_of("city"),), 0),
        (After(amount=30, unit=LimitUnit.URGENT_MINUTE), Effect.CLIMB, (_of("city"),), 4),
    ),
    # The company's own people first (条), the district (块) beside them when it lasts.
    "water": _ladder(
        "water",
        (0.75, Effect.WARNING, (_OWNER,), 0),
        (1.0, Effect.OVERDUE, (_of("city", axis=Axis.LINE),), 0),
        (1.5, Effect.CLIMB, (_of("district", axis=Axis.BOTH),), 0),
        (_SOMETIME, Effect.CLIMB, (_of("city", axis=Axis.BOTH),), 5),
    ),
    # A district that would rather remind three times than climb.
    "reminding": _ladder(
        "reminding",
        (0.5, Effect.WARNING, (_OWNER,), 0),
        (0.75, Effect.WARNING, (_OWNER,), 0),
        (0.9, Effect.WARNING, (_OWNER, _of("street", "dispatcher")), 0),
        (1.0, Effect.OVERDUE, (_of("district", "dispatcher"),), 0),
        (1.5, Effect.CLIMB, (_of("district"),), 0),
        (2.0, Effect.CLIMB, (_of("city"),), 0),
    ),
}

USES: Final = (
    LadderUse(clock=Clock.HANDLING, ladder="calm", severity="low"),
    LadderUse(clock=Clock.HANDLING, ladder="steep", severity="high"),
    LadderUse(clock=Clock.HANDLING, ladder="water", department="water"),
    LadderUse(clock=Clock.HANDLING, ladder="reminding", division="620103"),
)


async def load_ladders(conn: Conn, now: datetime) -> None:
    """Put the demo city's own edition in force, on top of the starter's."""
    starter = await ladders.in_force(conn)
    own = Ladders(name="示例城市阶梯", ladders={**starter.ladders, **OWN}, uses=USES)
    edition = await ladders.add_draft(conn, own, "command:up", now)
    await ladders.put_in_force(conn, edition, "command:up", now)
