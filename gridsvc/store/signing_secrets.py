"""The table `signing_secrets`: what programs sign their camera events with, sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Nothing, Statement


@dataclass(frozen=True)
class Sealed:
    """A secret that is in force."""

    id: UUID
    sealed: bytes


IN_FORCE = Statement(
    Sealed,
    """
    SELECT id, sealed
      FROM signing_secrets
     WHERE key_id = $1::uuid
       AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > $2::timestamptz)
     ORDER BY created_at DESC, id DESC
    """,
)

ADD = Statement(
    Nothing,
    """
    INSERT INTO signing_secrets (id, key_id, sealed, created_at, created_by)
    VALUES ($1::uuid, $2::uuid, $3::bytea, $4::timestamptz, $5::text)
    """,
)

# Those of a key are good until $2 at the latest, and never longer than they were.
END_BY = Statement(
    Nothing,
    """
    UPDATE signing_secrets
       SET expires_at = least(expires_at, $2::timestamptz)
     WHERE key_id = $1::uuid AND revoked_at IS NULL
    """,
)

REVOKE = Statement(
    Nothing,
    """
    UPDATE signing_secrets
       SET revoked_at = $2::timestamptz
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)


@dataclass(frozen=True)
class Listed:
    """A secret as a list shows it: never what it is."""

    id: UUID
    key_id: UUID
    key_name: str
    signed_only: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


LISTED = Statement(
    Listed,
    """
    SELECT s.id, s.key_id, k.name AS key_name, k.signed_only, s.created_at, s.expires_at, s.revoked_at
      FROM signing_secrets s
      JOIN api_keys k ON k.id = s.key_id
     ORDER BY k.name, s.key_id, s.created_at, s.id
    """,
)
