"""The tables `camera_tokens` and `camera_names`: who may post as which camera, and what devices call themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class Admitted:
    """A token that may be used now, the cameras that it speaks for, by code, and what foreign JSON is read with."""

    id: UUID
    protocol: str
    cameras: Sequence[str]
    mapping: dict[str, Any] | None = None


# `from` is the peer's address; a token without networks may be used from anywhere.
ADMITTED = Statement(
    Admitted,
    """
    SELECT t.id, t.protocol,
           ARRAY(SELECT c.camera FROM camera_token_cameras c WHERE c.token_id = t.id ORDER BY c.camera) AS cameras,
           (SELECT m.document
              FROM camera_mappings m
             WHERE m.name = t.mapping AND m.published_at IS NOT NULL
             ORDER BY m.version DESC
             LIMIT 1) AS mapping
      FROM camera_tokens t
     WHERE t.secret_hash = $1::bytea
       AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > city_now())
       AND (t.networks = '{}' OR $2::text::inet <<= ANY (t.networks))
    """,
)


@dataclass(frozen=True)
class Named:
    """A camera and one of the names its device goes by."""

    camera: str
    scheme: str
    value: str


NAMES = Statement(
    Named,
    """
    SELECT camera, scheme, value
      FROM camera_names
     WHERE camera = ANY ($1::text[])
     ORDER BY camera, scheme, value
    """,
)


# -- giving them out ------------------------------------------------------------------------------

_ADD = Statement(
    Nothing,
    """
    INSERT INTO camera_tokens (id, secret_hash, label, protocol, created_at, created_by, expires_at, networks, mapping)
    VALUES ($1::uuid, $2::bytea, $3::text, $4::text, $5::timestamptz, $6::text, $7::timestamptz,
            $8::text[]::cidr[], $9::text)
    """,
)

_SPEAKS_FOR = Statement(
    Nothing,
    """
    INSERT INTO camera_token_cameras (token_id, camera)
    SELECT $1::uuid, camera
      FROM unnest($2::text[]) AS camera
    """,
)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as it is given out: what is kept of its secret, and what it is good for."""

    id: UUID
    digest: bytes
    label: str
    protocol: str
    cameras: Sequence[str]
    networks: Sequence[str] = ()
    expires_at: datetime | None = None
    mapping: str | None = None  # the name of what a mapped one is read with


async def add(conn: Conn, token: Token, actor: str, now: datetime) -> None:
    """Keep a token. Its cameras are in the registry."""
    await _ADD.run(
        conn, token.id, token.digest, token.label, token.protocol, now, actor, token.expires_at, list(token.networks),
        token.mapping,
    )  # fmt: skip
    await _SPEAKS_FOR.run(conn, token.id, list(token.cameras))


@dataclass(frozen=True)
class Listed:
    """A token as the administrator's list shows it: never its secret."""

    id: UUID
    label: str
    protocol: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    networks: list[str]
    mapping: str | None
    cameras: list[str]


LISTED = Statement(
    Listed,
    """
    SELECT t.id, t.label, t.protocol, t.created_at, t.expires_at, t.revoked_at, t.networks::text[] AS networks,
           t.mapping,
           ARRAY(SELECT c.camera::text FROM camera_token_cameras c WHERE c.token_id = t.id ORDER BY c.camera) AS cameras
      FROM camera_tokens t
     WHERE $1::uuid IS NULL OR t.id = $1::uuid
     ORDER BY t.created_at, t.id
    """,
)

# It is good until $2 at the latest, and never longer than it was.
END_BY = Statement(
    Nothing,
    """
    UPDATE camera_tokens
       SET expires_at = least(expires_at, $2::timestamptz)
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)

REVOKE = Statement(
    Nothing,
    """
    UPDATE camera_tokens
       SET revoked_at = $2::timestamptz
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)
