"""Keys of programs: hashed, scoped, limited to an area, revocable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Nothing, Statement


@dataclass(frozen=True)
class Key:
    """A key that may be used now."""

    id: UUID
    scopes: list[str]
    division_code: str
    department: str | None
    duty_line: str | None
    expires_at: datetime | None
    signed_only: bool
    now: datetime


USABLE = Statement(
    Key,
    """
    SELECT id, scopes, division_code, department, duty_line, expires_at, signed_only, city_now() AS now
      FROM api_keys
     WHERE id = $1::uuid
       AND secret_hash = $2::bytea
       AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > city_now())
    """,
)

# Who names a key without its secret: he has proved nothing yet.
NAMED = Statement(
    Key,
    """
    SELECT id, scopes, division_code, department, duty_line, expires_at, signed_only, city_now() AS now
      FROM api_keys
     WHERE id = $1::uuid
       AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > city_now())
    """,
)

REQUIRE_SIGNATURES = Statement(
    Nothing,
    "UPDATE api_keys SET signed_only = $2::boolean WHERE id = $1::uuid AND revoked_at IS NULL",
)

ADD = Statement(
    Nothing,
    """
    INSERT INTO api_keys (id, name, secret_hash, scopes, division_code, department, duty_line, created_at, expires_at)
    VALUES ($1::uuid, $2::text, $3::bytea, $4::text[], $5::text, $6::text, $7::text, $8::timestamptz, $9::timestamptz)
    """,
)

REVOKE = Statement(
    Nothing,
    """
    UPDATE api_keys
       SET revoked_at = $2::timestamptz
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)


@dataclass(frozen=True)
class Listed:
    """A key as the administrator's list shows it: never its secret."""

    id: UUID
    name: str
    scopes: list[str]
    division_code: str
    expires_at: datetime | None
    revoked_at: datetime | None


LISTED = Statement(
    Listed,
    """
    SELECT id, name, scopes, division_code, expires_at, revoked_at
      FROM api_keys
     ORDER BY name, id
    """,
)
