"""A device of GA/T 1400 says something: whether it is registered, and for which cameras it speaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from events.intake.camera_event import Device
from gridsvc.actions.watch_cameras import hear_cameras
from gridsvc.db import Conn
from gridsvc.domain.device_standing import Standing
from gridsvc.store import viid_accounts
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.viid_accounts import Account

NOT_REGISTERED: Final = "not_registered"
"""Why a message of a device that is not registered waits in quarantine."""

MOST_WAITING: Final = 200
"""Messages of one account that wait for this reason: a header is no proof, and must not fill the disk."""

_NOT_TOO_OFTEN: Final = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Who speaks. `account` None: nobody whom we know, or not from there.

    `waiting`: how many messages of one that is not registered wait in quarantine, up to MOST_WAITING.
    """

    standing: Standing
    account: Account | None = None
    waiting: int = 0

    @property
    def admitted(self) -> Admitted | None:
        """Whose messages are taken in; None where they are not."""
        if self.account is None or self.standing is not Standing.REGISTERED:
            return None
        return Admitted(self.account.id, viid_accounts.PROTOCOL, self.account.cameras)


async def hear_device(conn: Conn, device: str | None, peer: str, now: datetime, *, keeps_alive: bool = False) -> Heard:
    """Look how a device stands; one that is registered is known for longer by this.

    `keeps_alive`: it says nothing else, which counts for all its cameras but those that it reports to be offline.
    """
    account = None if device is None else await viid_accounts.BY_DEVICE.one(conn, device, peer)
    if account is None:
        return Heard(standing=Standing.NEVER)
    standing = account.standing(now)
    if standing is not Standing.REGISTERED:
        waiting = await viid_accounts.waiting(conn, account.id, NOT_REGISTERED, MOST_WAITING)
        return Heard(standing=standing, account=account, waiting=waiting)
    if account.heard_at is None or account.heard_at < now - _NOT_TOO_OFTEN:
        await viid_accounts.HEARD.run(conn, account.id, now)
    if keeps_alive:
        await hear_cameras(conn, [row.camera for row in await viid_accounts.THERE.all(conn, account.id)], now)
    return Heard(standing=standing, account=account)


async def names_of(conn: Conn, account: Account, devices: Iterable[Device]) -> list[Named]:
    """What of these names the cameras of an account go by."""
    said = {name for device in devices for name in vars(device).values() if name is not None}
    return await viid_accounts.NAMES.all(conn, account.id, sorted(said))
