"""Cameras in the small city: what they say goes in at the door and through the worker, as the edges do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.intake.camera_event import CameraEvent, Device, Phase, Spot
from gridsvc.actions.take_camera_events import Answer, Incoming, take_camera_events
from gridsvc.db import transaction
from gridsvc.store import camera_events
from gridsvc.store.camera_events import Balance
from tests.integration.small_city import SOUTH, STEP, WEST
from tests.integration.stories.conftest import Town
from workers.cameras import decide_round, silent_round, sort_round, storm_round

VENDOR = "300301"
"""A category of officers that files itself."""


def seen(
    camera: str, key: str, kind: str = "street_vendor", *, phase: Phase = Phase.START, at: datetime | None = None,
    zone: str | None = None, spot: Spot | None = None, taken_back: bool = False, score: float | None = None,
) -> CameraEvent:  # fmt: skip
    """What a camera says of its incident `key`."""
    return CameraEvent(
        protocol="cloudevents", device=Device(code=camera), key=key, kind=kind, phase=phase, at=at, zone=zone,
        spot=spot, false_alarm=taken_back, score=score,
    )  # fmt: skip


@dataclass(frozen=True)
class Cameras:
    """The cameras of a town."""

    town: Town

    async def rules(self, **changes: object) -> None:
        """Change rules of the city, by column."""
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, start=1))
        async with self.town.pool.acquire() as conn:
            await conn.execute(f"UPDATE camera_rules SET {columns}", *changes.values())  # noqa: S608 - names of tests

    async def install(self, code: str, cell: int, labels: Mapping[str, Any], *, east_m: float = 0) -> None:
        """A camera in the middle of the `cell`-th cell from the west of the southern row, moved east by some metres."""
        lon, lat = WEST + STEP / 2 + STEP * cell + east_m / 89_900, SOUTH + STEP / 2
        async with self.town.pool.acquire() as conn:
            await conn.execute(
                "INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, label_map)"
                " VALUES ($1, $1, ST_SetSRID(ST_MakePoint($2, $3), 4326), 6, 0, 60, 80, 'cloudevents', $4)",
                code, lon, lat, dict(labels),
            )  # fmt: skip

    async def say(self, *events: CameraEvent) -> list[Answer]:
        """One commit with all of these."""
        incoming = [
            Incoming(camera=each.device.code or "", event=each, raw=b"{}", sent_by="key:test") for each in events
        ]
        async with transaction(self.town.pool) as (conn, now):
            return await take_camera_events(conn, incoming, Counter(), now)

    async def work(self, batch: int = 1_000) -> None:
        """What the worker does at this moment of the city's time."""
        await storm_round(self.town.pool)
        await sort_round(self.town.pool, batch)
        await decide_round(self.town.pool, self.town.numbers, batch)
        await silent_round(self.town.pool)

    async def outcomes(self) -> Counter[str]:
        """How many events ended how; `waiting` where nothing is decided."""
        rows = await self.town.rows("SELECT outcome, outcome_reason AS why FROM camera_events")
        return Counter(" ".join(word for word in (row["outcome"] or "waiting", row["why"]) if word) for row in rows)

    async def cases(self) -> list[dict[str, Any]]:
        """The cases that cameras opened, in their order."""
        return await self.town.rows("SELECT * FROM cases WHERE source = 'camera' ORDER BY reported_at, id")

    async def balances(self) -> list[Balance]:
        async with transaction(self.town.pool) as (conn, now):
            return await camera_events.BALANCES.all(conn, now.replace(year=2000))
