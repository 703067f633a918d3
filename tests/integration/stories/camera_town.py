"""Cameras in the small city: what they say goes in at the door and through the worker, as the edges do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.intake.camera_event import CameraEvent, Device, Phase, Spot
from gridsvc.actions.take_camera_events import Answer, Incoming, take_camera_events
from gridsvc.db import Conn, transaction
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
    lane: str | None = None,
) -> CameraEvent:  # fmt: skip
    """What a camera says of its incident `key`."""
    return CameraEvent(
        protocol="cloudevents", device=Device(code=camera), key=key, lane=lane, kind=kind, phase=phase, at=at,
        zone=zone, spot=spot, false_alarm=taken_back, score=score,
    )  # fmt: skip


async def put_up(conn: Conn, code: str, lon: float, lat: float, protocol: str = "cloudevents") -> None:
    """A camera of which nothing is known but its place and how it speaks: what it sees is where it stands."""
    await conn.execute(
        "INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, given_x, given_y,"
        "                     given_frame, changed_at)"
        " VALUES ($1, $1, ST_SetSRID(ST_MakePoint($2, $3), 4326), 6, 0, 60, 80, $4, $2, $3, 'wgs84', now())",
        code, lon, lat, protocol,
    )  # fmt: skip


async def give_meanings(conn: Conn, camera: str, labels: Mapping[str, tuple[str, str]]) -> None:
    """Rows of the map of a camera: of each kind its category in the default edition and the mode."""
    await conn.executemany(
        "INSERT INTO camera_labels (camera, protocol, kind, zone, target, edition, category, mode, written_at,"
        "                           written_by)"
        " SELECT $1, '*', $2, '*', '*', code, $3, $4, now(), 'test' FROM category_editions WHERE is_default",
        [(camera, kind, category, mode) for kind, (category, mode) in labels.items()],
    )


@dataclass(frozen=True)
class Cameras:
    """The cameras of a town."""

    town: Town

    async def rules(self, **changes: object) -> None:
        """Change rules of the city, by column."""
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, start=1))
        async with self.town.pool.acquire() as conn:
            await conn.execute(f"UPDATE camera_rules SET {columns}", *changes.values())  # noqa: S608 - names of tests

    async def install(self, code: str, cell: int, labels: Mapping[str, tuple[str, str]], *, east_m: float = 0) -> None:
        """A camera in the middle of the `cell`-th cell from the west of the southern row, moved east by some metres."""
        lon, lat = WEST + STEP / 2 + STEP * cell + east_m / 89_900, SOUTH + STEP / 2
        async with self.town.pool.acquire() as conn:
            await put_up(conn, code, lon, lat)
            await give_meanings(conn, code, labels)

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
