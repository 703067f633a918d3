"""The table `camera_mappings`: how a foreign JSON is read, version by version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class MappingRow:
    """One version of a mapping; a draft where `published_at` is None."""

    name: str
    version: int
    document: dict[str, Any]
    drafted_at: datetime
    drafted_by: str
    published_at: datetime | None
    published_by: str | None


LISTED = Statement(
    MappingRow,
    """
    SELECT name, version, document, drafted_at, drafted_by, published_at, published_by
      FROM camera_mappings
     WHERE ($1::text IS NULL OR name = $1::text)
       AND (name, version) > ($2::text, $3::integer)
     ORDER BY name, version
     LIMIT $4::integer
    """,
)

ONE = Statement(
    MappingRow,
    """
    SELECT name, version, document, drafted_at, drafted_by, published_at, published_by
      FROM camera_mappings
     WHERE name = $1::text AND version = $2::integer
    """,
)

DRAFT = Statement(
    MappingRow,
    """
    SELECT name, version, document, drafted_at, drafted_by, published_at, published_by
      FROM camera_mappings
     WHERE name = $1::text AND published_at IS NULL
    """,
)

# The published version with the highest number reads what comes.
IN_FORCE = Statement(
    MappingRow,
    """
    SELECT name, version, document, drafted_at, drafted_by, published_at, published_by
      FROM camera_mappings
     WHERE name = $1::text AND published_at IS NOT NULL
     ORDER BY version DESC
     LIMIT 1
    """,
)


@dataclass(frozen=True)
class Reading:
    """What messages of a token are read with today."""

    document: dict[str, Any]


OF_TOKEN = Statement(
    Reading,
    """
    SELECT m.document
      FROM camera_tokens t
      JOIN camera_mappings m ON m.name = t.mapping AND m.published_at IS NOT NULL
     WHERE t.id = $1::uuid
     ORDER BY m.version DESC
     LIMIT 1
    """,
)

_LOCK = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtext('camera mappings'), hashtext($1::text))")


async def lock(conn: Conn, name: str) -> None:
    """Until the transaction ends nobody else drafts or publishes versions of this name."""
    await _LOCK.run(conn, name)


ADD = Statement(
    MappingRow,
    """
    INSERT INTO camera_mappings (name, version, document, drafted_at, drafted_by)
    SELECT $1::text, coalesce(max(version), 0) + 1, $2::jsonb, $3::timestamptz, $4::text
      FROM camera_mappings
     WHERE name = $1::text
    RETURNING name, version, document, drafted_at, drafted_by, published_at, published_by
    """,
)

CHANGE = Statement(
    MappingRow,
    """
    UPDATE camera_mappings
       SET document = $3::jsonb, drafted_at = $4::timestamptz, drafted_by = $5::text
     WHERE name = $1::text AND version = $2::integer AND published_at IS NULL
    RETURNING name, version, document, drafted_at, drafted_by, published_at, published_by
    """,
)

PUBLISH = Statement(
    MappingRow,
    """
    UPDATE camera_mappings
       SET published_at = $3::timestamptz, published_by = $4::text
     WHERE name = $1::text AND version = $2::integer AND published_at IS NULL
    RETURNING name, version, document, drafted_at, drafted_by, published_at, published_by
    """,
)
