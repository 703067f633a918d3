"""The tables `sip_devices` and `sip_device_cameras`: who registers by SIP, how he stands, and for which cameras."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, repr=False)
class Known:
    """A device that may register, and its sealed password. No repr: it is a secret."""

    code: str
    secret: bytes


KNOWN = Statement(Known, "SELECT code, secret FROM sip_devices WHERE revoked_at IS NULL ORDER BY code")


@dataclass(frozen=True)
class Registered:
    """A device that is registered now: from where, and the cameras that it speaks for, by code."""

    code: str
    host: str
    cameras: list[str]


REGISTERED = Statement(
    Registered,
    """
    SELECT d.code, d.host,
           ARRAY(SELECT c.camera::text FROM sip_device_cameras c WHERE c.device = d.code ORDER BY c.camera) AS cameras
      FROM sip_devices d
     WHERE d.code = ANY ($1::text[]) AND d.revoked_at IS NULL AND d.registered_until > $2::timestamptz
    """,
)

REGISTER = Statement(
    Nothing,
    """
    UPDATE sip_devices
       SET registered_at = $2::timestamptz, registered_until = $3::timestamptz, host = $4::text,
           heard_at = $2::timestamptz
     WHERE code = $1::text AND revoked_at IS NULL
    """,
)

UNREGISTER = Statement(
    Nothing,
    """
    UPDATE sip_devices
       SET registered_until = NULL, host = '', heard_at = $2::timestamptz
     WHERE code = $1::text AND revoked_at IS NULL
    """,
)

HEARD = Statement(
    Nothing,
    """
    UPDATE sip_devices
       SET heard_at = greatest(heard_at, $2::timestamptz)
     WHERE code = ANY ($1::text[])
    """,
)


# -- giving them out ------------------------------------------------------------------------------

# A device that was revoked may begin anew, with another password and other cameras.
_ADD = Statement(
    Nothing,
    """
    INSERT INTO sip_devices AS d (code, secret, label, created_at, created_by)
    VALUES ($1::text, $2::bytea, $3::text, $4::timestamptz, $5::text)
        ON CONFLICT (code) DO UPDATE
       SET secret = excluded.secret, label = excluded.label, created_at = excluded.created_at,
           created_by = excluded.created_by, rotated_at = NULL, revoked_at = NULL
     WHERE d.revoked_at IS NOT NULL
    """,
)

_FORGET_CAMERAS = Statement(Nothing, "DELETE FROM sip_device_cameras WHERE device = $1::text")

_SPEAKS_FOR = Statement(
    Nothing,
    """
    INSERT INTO sip_device_cameras (device, camera)
    SELECT $1::text, camera
      FROM unnest($2::text[]) AS camera
    """,
)


async def add(conn: Conn, device: Known, cameras: list[str], label: str, actor: str, now: datetime) -> bool:
    """Keep a device; False where one of that code stands already. Its cameras are in the registry."""
    if not await _ADD.run(conn, device.code, device.secret, label, now, actor):
        return False
    await _FORGET_CAMERAS.run(conn, device.code)
    await _SPEAKS_FOR.run(conn, device.code, cameras)
    return True


# Whoever registered with the old password must prove that he knows the new one.
ROTATE = Statement(
    Nothing,
    """
    UPDATE sip_devices
       SET secret = $2::bytea, rotated_at = $3::timestamptz, registered_until = NULL, host = ''
     WHERE code = $1::text AND revoked_at IS NULL
    """,
)

REVOKE = Statement(
    Nothing,
    """
    UPDATE sip_devices
       SET revoked_at = $2::timestamptz, registered_until = NULL, host = ''
     WHERE code = $1::text AND revoked_at IS NULL
    """,
)


@dataclass(frozen=True)
class Listed:
    """A device as the administrator's list shows it: never its password."""

    code: str
    label: str
    created_at: datetime
    rotated_at: datetime | None
    revoked_at: datetime | None
    registered_until: datetime | None
    host: str
    heard_at: datetime | None
    cameras: list[str]


LISTED = Statement(
    Listed,
    """
    SELECT d.code, d.label, d.created_at, d.rotated_at, d.revoked_at, d.registered_until, d.host, d.heard_at,
           ARRAY(SELECT c.camera::text FROM sip_device_cameras c WHERE c.device = d.code ORDER BY c.camera) AS cameras
      FROM sip_devices d
     ORDER BY d.code
    """,
)
