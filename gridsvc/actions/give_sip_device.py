"""Let a device or platform of GB/T 28181 register by SIP, for its cameras; give it another password."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridsvc.db import Conn
from gridsvc.errors import Refused, Unknown
from gridsvc.sealing import Sealer
from gridsvc.store import cameras, sip_devices
from gridsvc.store.sip_devices import Known

_CODE: Final = re.compile(r"[0-9]{20}", re.ASCII)
_PASSWORD_BYTES: Final = 12  # 16 letters: what pages of devices take, and far more than can be tried through MD5


def purpose_of(code: str) -> str:
    """What the password of a device is sealed for."""
    return f"sip_devices {code}"


async def give_sip_device(
    conn: Conn, code: str, codes: Sequence[str], label: str, sealer: Sealer, actor: str, now: datetime
) -> str:
    """Keep a device that speaks for these cameras; its password, which is told this once.

    Raises Refused where the code is none or stands already, Unknown where a camera is not in the registry.
    """
    if not _CODE.fullmatch(code):
        raise Refused(f"the device's code is {code[:60]!r}; want 20 digits (GB/T 28181)", given=code[:60])
    missing = sorted(set(codes) - set(await cameras.current(conn, codes)))
    if missing or not codes:
        given = missing[0] if missing else "none"
        raise Unknown(f"no camera {given} in the registry; a device speaks for one at least", given=given)
    password, sealed = _fresh(code, sealer)
    if not await sip_devices.add(conn, Known(code, sealed), sorted(set(codes)), label, actor, now):
        raise Refused(f"there is a device {code} already; rotate its password, or revoke it first", given=code)
    return password


async def rotate_sip_device(conn: Conn, code: str, sealer: Sealer, now: datetime) -> str:
    """Another password for a device, which must register anew with it. Raises Unknown."""
    password, sealed = _fresh(code, sealer)
    if not await sip_devices.ROTATE.run(conn, code, sealed, now):
        raise Unknown(f"no device {code} that could be rotated", given=code)
    return password


def _fresh(code: str, sealer: Sealer) -> tuple[str, bytes]:
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    return password, sealer.seal(password.encode(), purpose_of(code))
