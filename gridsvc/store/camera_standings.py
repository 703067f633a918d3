"""Cameras of which there is something to say: silent, judged by people, muted, in a storm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Statement


@dataclass(frozen=True)
class StandingRow:
    """How a camera is heard."""

    camera: str
    health: str
    heard_at: datetime | None
    offline_since: datetime | None


# $1: codes after this one; $2: those that storm, which the service alone knows.
STANDINGS = Statement(
    StandingRow,
    """
    SELECT c.code AS camera, camera_stands(h.heard_at, h.offline_since) AS health, h.heard_at, h.offline_since
      FROM cameras c
           LEFT JOIN camera_health h ON h.camera = c.code
     WHERE c.code > $1::text
       AND (h.offline_since IS NOT NULL
            OR c.code = ANY ($2::text[])
            OR EXISTS (SELECT FROM camera_mutes m WHERE m.camera = c.code AND m.lifted_at IS NULL)
            OR EXISTS (SELECT FROM camera_reviews r WHERE r.camera = c.code AND r.verdict IS NOT NULL))
     ORDER BY c.code
     LIMIT $3::integer
    """,
)


@dataclass(frozen=True)
class KindRow:
    """How often a camera was right and wrong with a kind since it was last let speak again; the mute that stands."""

    camera: str
    kind: str
    seen_real: int
    seen_false: int
    mute: UUID | None
    muted_at: datetime | None


KINDS = Statement(
    KindRow,
    """
    WITH lifted AS (
      SELECT camera, kind, max(lifted_at) AS at
        FROM camera_mutes
       WHERE camera = ANY ($1::text[])
       GROUP BY camera, kind
    ), said AS (
      SELECT r.camera, r.kind, count(*) FILTER (WHERE r.verdict = 'real')::integer AS seen_real,
             count(*) FILTER (WHERE r.verdict = 'false')::integer AS seen_false
        FROM camera_reviews r
             LEFT JOIN lifted USING (camera, kind)
       WHERE r.camera = ANY ($1::text[])
         AND r.verdict IS NOT NULL
         AND r.verdict_at > coalesce(lifted.at, '-infinity')
       GROUP BY r.camera, r.kind
    ), muted AS (
      SELECT camera, kind, id, muted_at FROM camera_mutes WHERE camera = ANY ($1::text[]) AND lifted_at IS NULL
    )
    SELECT camera, kind, coalesce(said.seen_real, 0) AS seen_real, coalesce(said.seen_false, 0) AS seen_false,
           muted.id AS mute, muted.muted_at
      FROM said
           FULL JOIN muted USING (camera, kind)
     ORDER BY camera, kind
    """,
)
