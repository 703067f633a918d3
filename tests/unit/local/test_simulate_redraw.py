"""When the simulated grid is redrawn: when an open case lies at a border, and it is always taken back."""

from __future__ import annotations

from typing import cast

import pytest

from gridsvc.db import ConnPool
from gridsvc.local import simulate_redraw
from gridsvc.local.simulate_redraw import Redrawn, redraw_by_day

NO_POOL = cast(ConnPool, None)
DRAWN = Redrawn(name="simulated", cells=1, foretold=1, foretold_rerouted=0, followed=1, rerouted=0)


@pytest.mark.parametrize(
    ("tries_in_vain", "drawn", "passed"),
    [
        (0, True, [1 / 3, 2 / 3]),
        (2, True, [1 / 3, 3 / 8, 5 / 12, 2 / 3]),
        (9, False, [1 / 3, 3 / 8, 5 / 12, 11 / 24, 1 / 2]),
    ],
)
async def test_a_quiet_hour_puts_the_redrawing_off_and_a_quiet_half_day_leaves_it_out(
    monkeypatch: pytest.MonkeyPatch, tries_in_vain: int, drawn: bool, passed: list[float]
) -> None:
    shares: list[float] = []
    taken_back: list[str] = []

    async def reached(share: float) -> None:
        shares.append(share)

    async def redraw(_: ConnPool) -> Redrawn | None:
        return DRAWN if len(shares) > tries_in_vain else None

    async def take_back(_: ConnPool, name: str) -> None:
        taken_back.append(name)

    monkeypatch.setattr(simulate_redraw, "redraw", redraw)
    monkeypatch.setattr(simulate_redraw, "take_back", take_back)

    assert await redraw_by_day(NO_POOL, reached) == (DRAWN if drawn else None)
    assert shares == passed
    assert taken_back == ([DRAWN.name] if drawn else [])
