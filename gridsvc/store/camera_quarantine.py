"""The table `camera_quarantine`: messages that could not be read, as they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Nothing, Statement

ADD = Statement(
    Nothing,
    """
    INSERT INTO camera_quarantine (id, received_at, protocol, token_id, cameras, peer, content_type, headers, body,
                                   bytes, code, says)
    VALUES ($1::uuid, $2::timestamptz, $3::text, $4::uuid, $5::text[], $6::text, $7::text, $8::jsonb, $9::bytea,
            $10::bigint, $11::text, $12::text)
    """,
)


@dataclass(frozen=True)
class Listed:
    """One message as the list shows it."""

    id: UUID
    received_at: datetime
    protocol: str
    cameras: list[str]
    peer: str
    content_type: str
    bytes: int
    code: str
    says: str
    replayed_at: datetime | None
    replayed_as: str | None


LISTED = Statement(
    Listed,
    """
    SELECT id, received_at, protocol, cameras, peer, content_type, bytes, code, says, replayed_at, replayed_as
      FROM camera_quarantine
     WHERE ($1::boolean OR replayed_at IS NULL)
     ORDER BY received_at DESC, id DESC
     LIMIT $2::integer
    """,
)


@dataclass(frozen=True)
class Kept:
    """One message whole."""

    id: UUID
    received_at: datetime
    protocol: str
    token_id: UUID | None
    cameras: list[str]
    peer: str
    content_type: str
    headers: dict[str, Any]
    body: bytes
    bytes: int
    code: str
    says: str
    replayed_at: datetime | None
    replayed_as: str | None


ONE = Statement(
    Kept,
    """
    SELECT id, received_at, protocol, token_id, cameras, peer, content_type, headers, body, bytes, code, says,
           replayed_at, replayed_as
      FROM camera_quarantine
     WHERE id = $1::uuid
       FOR UPDATE
    """,
)

REPLAYED = Statement(
    Nothing,
    "UPDATE camera_quarantine SET replayed_at = $2::timestamptz, replayed_as = $3::text WHERE id = $1::uuid",
)

OLD = Statement(
    Nothing,
    """
    DELETE FROM camera_quarantine
     WHERE id IN (SELECT id FROM camera_quarantine WHERE received_at < $1::timestamptz LIMIT $2::integer)
    """,
)
