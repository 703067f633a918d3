"""Somebody looks through a camera: who, why and until when is kept; a play link is answered, or a picture asked for.

The camera itself is never asked, and no address of its streams goes anywhere: only a gateway that the city has named.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller, Role
from gridsvc.domain.looking import Gateway, filled, gateway_for
from gridsvc.errors import CameraOff, NoGateway, NotAllowed, Unknown
from gridsvc.ids import new_id
from gridsvc.sealing import Sealer
from gridsvc.store import camera_gateways, camera_pictures, cameras
from gridsvc.store.camera_gateways import GatewayRow, LookRow
from gridsvc.store.camera_pictures import NewPicture
from gridsvc.store.cameras import CameraRow

log = logging.getLogger(__name__)

LOOKERS: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
"""Who looks through a camera, over its place."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What came of it: a link that ends by itself, or a picture that is on its way."""

    row: LookRow
    play_url: str | None
    picture_id: UUID | None


async def look_through_camera(
    conn: Conn, caller: Caller, code: str, kind: str, reason: str, lasting: timedelta, sealer: Sealer, now: datetime
) -> Look:
    """Let `caller` look: `kind` is play or snapshot. In a transaction under the caller's scope.

    Raises Unknown for a camera out of sight, NotAllowed without such a role over its place, CameraOff, NoGateway,
    CannotUnseal.
    """
    kept = (await cameras.current(conn, [code])).get(code)
    if kept is None:
        raise Unknown(f"no camera {code} in the registry", given=code)
    camera = kept.row
    if not any(grant.role in LOOKERS and grant.division in camera.divisions for grant in caller.grants):
        raise NotAllowed(
            "looking through a camera needs a role over its place", wanted=sorted(role.value for role in LOOKERS)
        )
    if camera.state == "off":
        raise CameraOff(f"camera {code} is off; it is not looked through until it is put up again", given=code)
    await act_as_service(conn)
    found = await _gateway_of(conn, camera, kind)
    row = LookRow(
        id=new_id(), camera=code, kind=kind, looked_by=caller.id, reason=reason, gateway=found.code, looked_at=now,
        until=now + lasting if kind == "play" else now,
    )  # fmt: skip
    await camera_gateways.ADD_LOOK.run(
        conn, row.id, row.camera, row.kind, row.looked_by, row.reason, row.gateway, row.looked_at, row.until
    )
    log.info("a camera is looked through", extra={"action": "camera_looked", "camera": code, "look": str(row.id)})
    if kind == "play":
        return Look(row=row, play_url=_link(found, row, sealer), picture_id=None)
    asked = NewPicture(id=new_id(), camera=code, look_id=row.id, came_as="look", host=found.host)
    await camera_pictures.add(conn, [asked], now)
    await camera_pictures.count(conn, Counter({(code, now, "received", ""): 1}))
    return Look(row=row, play_url=None, picture_id=asked.id)


async def _gateway_of(conn: Conn, camera: CameraRow, kind: str) -> GatewayRow:
    rows = {row.code: row for row in await camera_gateways.GATEWAYS.all(conn)}
    found: Gateway | None = gateway_for(camera.code, camera.protocol, kind, [row.gateway for row in rows.values()])
    if found is None:
        raise NoGateway(
            f"no gateway can {'show' if kind == 'play' else 'take a picture of'} camera {camera.code}",
            given=kind, wanted="a gateway that an administrator of the service names: gridsvc cameras gateways",
        )  # fmt: skip
    return rows[found.code]


def _link(gateway: GatewayRow, row: LookRow, sealer: Sealer) -> str:
    assert gateway.play_template is not None and gateway.key_sealed is not None  # noqa: S101, PT018 - it can play
    key = sealer.unseal(gateway.key_sealed, purpose_of(row.gateway))
    return filled(gateway.play_template, row.camera, row.until, key)


def purpose_of(gateway: str) -> str:
    """For what the key of a gateway is sealed."""
    return f"camera gateway {gateway}"
