"""The tables `camera_silences`, `camera_reviews` and `camera_mutes`: what people have said about cameras' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement

# -- silences ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SilenceRow:
    """Who said that nothing shall come of what matches, why, and from when until when."""

    id: UUID
    matchers: dict[str, Any]
    author: str
    author_name: str | None
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    expired_by: str | None


_SILENCE: str = """
    SELECT id, matchers, author, (SELECT u.display_name FROM users u WHERE 'user:' || u.id = author) AS author_name,
           reason, starts_at, ends_at, created_at, expired_by
      FROM camera_silences
"""

IN_FORCE = Statement(
    SilenceRow,
    f"{_SILENCE} WHERE starts_at <= $1::timestamptz AND ends_at > $1::timestamptz ORDER BY starts_at, id",
)

SILENCES = Statement(
    SilenceRow,
    f"""
    {_SILENCE}
     WHERE ($1::boolean IS NULL OR (ends_at > $2::timestamptz) = $1::boolean)
       AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT $5::integer
    """,
)

SILENCE = Statement(SilenceRow, f"{_SILENCE} WHERE id = $1::uuid FOR UPDATE")

ADD_SILENCE = Statement(
    Nothing,
    """
    INSERT INTO camera_silences (id, matchers, author, reason, starts_at, ends_at, created_at)
    VALUES ($1::uuid, $2::jsonb, $3::text, $4::text, $5::timestamptz, $6::timestamptz, $7::timestamptz)
    """,
)

EXPIRE_SILENCE = Statement(
    Nothing,
    """
    UPDATE camera_silences
       SET ends_at = greatest(starts_at, $2::timestamptz), expired_by = $3::text
     WHERE id = $1::uuid
    """,
)

# -- reviews -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ToLookAt:
    """What a person is to judge; more of the same joins the one that waits."""

    id: UUID
    camera: str
    kind: str
    zone: str
    target: str
    why: str
    category: str | None
    lon: float
    lat: float
    cell_code: str
    division_code: str
    seen_by: Sequence[str]
    first_at: datetime
    last_at: datetime
    events: int


@dataclass(frozen=True)
class _Review:
    id: UUID
    camera: str
    kind: str
    zone: str
    target: str


_ASK = Statement(
    _Review,
    """
    INSERT INTO camera_reviews AS r (id, camera, kind, zone, target, why, category, lon, lat, cell_code, division_code,
                                     seen_by, first_at, last_at, events, opened_at)
    SELECT id, camera, kind, zone, target, why, category, lon, lat, cell_code, division_code,
           string_to_array(seen_by, ','), first_at, last_at, events, $1::timestamptz
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[],
                  $10::float8[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[],
                  $16::bigint[])
        AS u (id, camera, kind, zone, target, why, category, lon, lat, cell_code, division_code, seen_by, first_at,
              last_at, events)
     ORDER BY camera, kind, zone, target
        ON CONFLICT (camera, kind, zone, target) WHERE verdict IS NULL DO UPDATE
       SET first_at = least(r.first_at, excluded.first_at), last_at = greatest(r.last_at, excluded.last_at),
           events = r.events + excluded.events
    RETURNING r.id, r.camera, r.kind, r.zone, r.target
    """,
)


async def ask_for_review(
    conn: Conn, asked: Sequence[ToLookAt], now: datetime
) -> dict[tuple[str, str, str, str], UUID]:
    """Put these into the queue; which review each fingerprint (camera, kind, zone, target) belongs to."""
    if not asked:
        return {}
    rows = await _ASK.all(
        conn, now, [a.id for a in asked], [a.camera for a in asked], [a.kind for a in asked],
        [a.zone for a in asked], [a.target for a in asked], [a.why for a in asked], [a.category for a in asked],
        [a.lon for a in asked], [a.lat for a in asked], [a.cell_code for a in asked],
        [a.division_code for a in asked], [",".join(a.seen_by) for a in asked], [a.first_at for a in asked],
        [a.last_at for a in asked], [a.events for a in asked],
    )  # fmt: skip
    return {(row.camera, row.kind, row.zone, row.target): row.id for row in rows}


@dataclass(frozen=True)
class ReviewRow:
    """What waits for a person's look, or was judged."""

    id: UUID
    camera: str
    kind: str
    zone: str
    target: str
    why: str
    category: str | None
    lon: float
    lat: float
    cell_code: str
    division_code: str
    first_at: datetime
    last_at: datetime
    events: int
    opened_at: datetime
    verdict: str | None
    verdict_by: str | None
    verdict_at: datetime | None


_REVIEW: str = """
    SELECT id, camera, kind, zone, target, why, category, lon, lat, cell_code, division_code, first_at, last_at, events,
           opened_at, verdict, verdict_by, verdict_at
      FROM camera_reviews
"""

# The oldest first: whoever judges works off a queue.
REVIEWS = Statement(
    ReviewRow,
    f"""
    {_REVIEW}
     WHERE seen_by && $1::text[]
       AND (verdict IS NOT NULL) = $2::boolean
       AND ($3::text IS NULL OR camera = $3::text)
       AND ($4::timestamptz IS NULL OR (opened_at, id) > ($4::timestamptz, $5::uuid))
     ORDER BY opened_at, id
     LIMIT $6::integer
    """,
)

LOCK_REVIEW = Statement(ReviewRow, f"{_REVIEW} WHERE id = $1::uuid AND seen_by && $2::text[] FOR UPDATE")

JUDGE = Statement(
    Nothing,
    """
    UPDATE camera_reviews
       SET verdict = $2::text, verdict_by = $3::text, verdict_at = $4::timestamptz, category = $5::text
     WHERE id = $1::uuid
    """,
)


@dataclass(frozen=True)
class Verdicts:
    """How often a camera was right and wrong with one kind, since it was last let speak again."""

    seen_real: int
    seen_false: int


VERDICTS = Statement(
    Verdicts,
    """
    SELECT count(*) FILTER (WHERE verdict = 'real')::integer AS seen_real,
           count(*) FILTER (WHERE verdict = 'false')::integer AS seen_false
      FROM camera_reviews
     WHERE camera = $1::text
       AND kind = $2::text
       AND verdict IS NOT NULL
       AND verdict_at > coalesce((SELECT max(lifted_at) FROM camera_mutes WHERE camera = $1::text AND kind = $2::text),
                                 '-infinity')
    """,
)

# -- mutes -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MuteRow:
    """A camera of whose kind of event nothing comes, because it was too often wrong."""

    id: UUID
    camera: str
    kind: str
    seen_real: int
    seen_false: int
    muted_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None


_MUTE: str = "SELECT id, camera, kind, seen_real, seen_false, muted_at, lifted_at, lifted_by FROM camera_mutes"

STANDING_MUTES = Statement(MuteRow, f"{_MUTE} WHERE camera = ANY ($1::text[]) AND lifted_at IS NULL")

MUTES = Statement(
    MuteRow,
    f"""
    {_MUTE}
     WHERE (lifted_at IS NULL) = $1::boolean
       AND ($2::timestamptz IS NULL OR (muted_at, id) > ($2::timestamptz, $3::uuid))
     ORDER BY muted_at, id
     LIMIT $4::integer
    """,
)

LOCK_MUTE = Statement(MuteRow, f"{_MUTE} WHERE id = $1::uuid FOR UPDATE")


@dataclass(frozen=True)
class _Muted:
    id: UUID


ADD_MUTE = Statement(
    _Muted,
    """
    INSERT INTO camera_mutes (id, camera, kind, seen_real, seen_false, muted_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::integer, $5::integer, $6::timestamptz)
        ON CONFLICT (camera, kind) WHERE lifted_at IS NULL DO NOTHING
    RETURNING id
    """,
)

LIFT_MUTE = Statement(
    Nothing, "UPDATE camera_mutes SET lifted_at = $2::timestamptz, lifted_by = $3::text WHERE id = $1::uuid"
)
