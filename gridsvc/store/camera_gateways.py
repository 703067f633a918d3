"""The tables `camera_hosts`, `camera_gateways` and `camera_looks`: from where pictures come, and who looked where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.camera_picture import Host
from gridsvc.domain.looking import Gateway

# -- hosts -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HostRow:
    """A place from which pictures may be fetched, with the header that it wants, sealed."""

    code: str
    scheme: str
    host: str
    port: int
    path_prefix: str
    networks: list[str]
    cameras: list[str]
    authorization_sealed: bytes | None

    @property
    def listed(self) -> Host:
        """As decisions know it."""
        return Host(
            code=self.code, scheme=self.scheme, host=self.host, port=self.port, path_prefix=self.path_prefix,
            networks=self.networks, cameras=self.cameras,
        )  # fmt: skip


HOSTS = Statement(
    HostRow,
    """
    SELECT code, scheme, host, port, path_prefix, networks, cameras, authorization_sealed
      FROM camera_hosts
     ORDER BY code
    """,
)


async def listed_hosts(conn: Conn) -> list[Host]:
    """The allow-list."""
    return [row.listed for row in await HOSTS.all(conn)]


PUT_HOST = Statement(
    Nothing,
    """
    INSERT INTO camera_hosts (code, scheme, host, port, path_prefix, networks, cameras, authorization_sealed)
    VALUES ($1::text, $2::text, $3::text, $4::integer, $5::text, $6::text[], $7::text[], $8::bytea)
        ON CONFLICT (code) DO UPDATE
       SET scheme = excluded.scheme, host = excluded.host, port = excluded.port, path_prefix = excluded.path_prefix,
           networks = excluded.networks, cameras = excluded.cameras,
           authorization_sealed = excluded.authorization_sealed
    """,
)


@dataclass(frozen=True)
class Code:
    """What was touched."""

    code: str


REMOVE_HOST = Statement(Code, "DELETE FROM camera_hosts WHERE code = $1::text RETURNING code")

# -- gateways ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GatewayRow:
    """A streaming gateway, with the key that signs its links, sealed."""

    code: str
    cameras: list[str]
    protocols: list[str]
    play_template: str | None
    snapshot_template: str | None
    host: str | None
    key_sealed: bytes | None

    @property
    def gateway(self) -> Gateway:
        """As decisions know it."""
        return Gateway(
            code=self.code, cameras=self.cameras, protocols=self.protocols, play_template=self.play_template,
            snapshot_template=self.snapshot_template,
        )  # fmt: skip


GATEWAYS = Statement(
    GatewayRow,
    """
    SELECT code, cameras, protocols, play_template, snapshot_template, host, key_sealed
      FROM camera_gateways
     ORDER BY code
    """,
)

PUT_GATEWAY = Statement(
    Nothing,
    """
    INSERT INTO camera_gateways (code, cameras, protocols, play_template, snapshot_template, host, key_sealed)
    VALUES ($1::text, $2::text[], $3::text[], $4::text, $5::text, $6::text, $7::bytea)
        ON CONFLICT (code) DO UPDATE
       SET cameras = excluded.cameras, protocols = excluded.protocols, play_template = excluded.play_template,
           snapshot_template = excluded.snapshot_template, host = excluded.host, key_sealed = excluded.key_sealed
    """,
)

REMOVE_GATEWAY = Statement(Code, "DELETE FROM camera_gateways WHERE code = $1::text RETURNING code")

# -- looks -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LookRow:
    """Who looked through a camera, why, and until when."""

    id: UUID
    camera: str
    kind: str
    looked_by: str
    reason: str
    gateway: str
    looked_at: datetime
    until: datetime


ADD_LOOK = Statement(
    Nothing,
    """
    INSERT INTO camera_looks (id, camera, kind, looked_by, reason, gateway, looked_at, until)
    VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::timestamptz)
    """,
)

LOOKS = Statement(
    LookRow,
    """
    SELECT id, camera, kind, looked_by, reason, gateway, looked_at, until
      FROM camera_looks
     WHERE camera = $1::text
       AND ($2::timestamptz IS NULL OR (looked_at, id) < ($2::timestamptz, $3::uuid))
     ORDER BY looked_at DESC, id DESC
     LIMIT $4::integer
    """,
)


@dataclass(frozen=True)
class _Asked:
    """The gateway that a picture was asked of."""

    picture_id: UUID
    gateway: str


_ASKED = Statement(
    _Asked,
    """
    SELECT p.id AS picture_id, l.gateway
      FROM camera_pictures p
      JOIN camera_looks l ON l.id = p.look_id
     WHERE p.id = ANY ($1::uuid[])
    """,
)


async def gateways_of(conn: Conn, pictures: Sequence[UUID]) -> dict[UUID, str]:
    """The gateway of each of these pictures that a look asked for."""
    return {row.picture_id: row.gateway for row in await _ASKED.all(conn, pictures)}
