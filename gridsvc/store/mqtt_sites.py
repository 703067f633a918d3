"""The tables `mqtt_sites` and `mqtt_site_cameras`: who publishes over MQTT, and for which cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class Site:
    """A site that may publish now, and the cameras that it speaks for, by code."""

    name: str
    cameras: list[str]


STANDING = Statement(
    Site,
    """
    SELECT s.name,
           ARRAY(SELECT c.camera::text FROM mqtt_site_cameras c WHERE c.site = s.name ORDER BY c.camera) AS cameras
      FROM mqtt_sites s
     WHERE s.name = ANY ($1::text[]) AND s.revoked_at IS NULL
    """,
)

HEARD = Statement(
    Nothing,
    """
    UPDATE mqtt_sites AS s
       SET heard_at = greatest(s.heard_at, $3::timestamptz), messages = s.messages + u.messages
      FROM unnest($1::text[], $2::bigint[]) AS u (name, messages)
     WHERE s.name = u.name
    """,
)


# -- giving them out ------------------------------------------------------------------------------

# A site that was revoked may begin anew, with another password and other cameras.
_ADD = Statement(
    Nothing,
    """
    INSERT INTO mqtt_sites AS s (name, password_hash, label, created_at, created_by)
    VALUES ($1::text, $2::text, $3::text, $4::timestamptz, $5::text)
        ON CONFLICT (name) DO UPDATE
       SET password_hash = excluded.password_hash, label = excluded.label, created_at = excluded.created_at,
           created_by = excluded.created_by, rotated_at = NULL, revoked_at = NULL
     WHERE s.revoked_at IS NOT NULL
    """,
)

_FORGET_CAMERAS = Statement(Nothing, "DELETE FROM mqtt_site_cameras WHERE site = $1::text")

_SPEAKS_FOR = Statement(
    Nothing,
    """
    INSERT INTO mqtt_site_cameras (site, camera)
    SELECT $1::text, camera
      FROM unnest($2::text[]) AS camera
    """,
)


async def add(conn: Conn, site: Site, password_hash: str, label: str, actor: str, now: datetime) -> bool:
    """Keep a site; False where one of that name stands already. Its cameras are in the registry."""
    if not await _ADD.run(conn, site.name, password_hash, label, now, actor):
        return False
    await _FORGET_CAMERAS.run(conn, site.name)
    await _SPEAKS_FOR.run(conn, site.name, site.cameras)
    return True


ROTATE = Statement(
    Nothing,
    """
    UPDATE mqtt_sites
       SET password_hash = $2::text, rotated_at = $3::timestamptz
     WHERE name = $1::text AND revoked_at IS NULL
    """,
)

REVOKE = Statement(
    Nothing, "UPDATE mqtt_sites SET revoked_at = $2::timestamptz WHERE name = $1::text AND revoked_at IS NULL"
)


@dataclass(frozen=True)
class Listed:
    """A site as the administrator's list shows it; its password is kept by its hash alone."""

    name: str
    label: str
    password_hash: str
    created_at: datetime
    rotated_at: datetime | None
    revoked_at: datetime | None
    heard_at: datetime | None
    messages: int
    cameras: list[str]


LISTED = Statement(
    Listed,
    """
    SELECT s.name, s.label, s.password_hash, s.created_at, s.rotated_at, s.revoked_at, s.heard_at, s.messages,
           ARRAY(SELECT c.camera::text FROM mqtt_site_cameras c WHERE c.site = s.name ORDER BY c.camera) AS cameras
      FROM mqtt_sites s
     ORDER BY s.name
    """,
)


def users(listed: Sequence[Listed]) -> list[tuple[str, str]]:
    """Name and hash of each site that may publish."""
    return [(each.name, each.password_hash) for each in listed if each.revoked_at is None]
