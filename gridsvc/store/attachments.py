"""Photographs and voice notes: what is kept of each, who may see it, and which case it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.upload import Told
from gridsvc.errors import Unknown

PICTURE: Final = "picture"
"""The kind of what shows something; a voice note says it."""


@dataclass(frozen=True, kw_only=True)
class NewAttachment:
    """A new attachment: digests of what is shown and of what was sent, what its EXIF claims and its sender told.

    A picture has its size in pixels and a look; a voice note (`kind` sound) is kept as it came: both digests are one.
    """

    id: UUID
    sha256: bytes
    original: bytes
    size_bytes: int
    kind: str = "picture"
    media_type: str = "image/jpeg"
    width: int | None = None
    height: int | None = None
    claimed_at: str | None = None
    claimed_lon: float | None = None
    claimed_lat: float | None = None
    told: Told = field(default_factory=Told)
    look: int | None = None
    original_kept: bool = False


ADD = Statement(
    Nothing,
    """
    INSERT INTO attachments (
           id, sha256, original, kind, media_type, size_bytes, width, height, claimed_at, claimed_lon, claimed_lat,
           told_at, told_lon, told_lat, look, original_kept, uploaded_by, uploaded_at, sweep_at)
    SELECT id, sha256, original, kind, media_type, size_bytes, width, height, claimed_at, claimed_lon, claimed_lat,
           told_at, told_lon, told_lat, look, original_kept, $17::text, $18::timestamptz, $18::timestamptz + '1 day'
      FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::integer[], $7::integer[],
                  $8::integer[], $9::text[], $10::float8[], $11::float8[], $12::timestamptz[], $13::float8[],
                  $14::float8[], $15::bigint[], $16::boolean[])
           AS p (id, sha256, original, kind, media_type, size_bytes, width, height, claimed_at, claimed_lon,
                 claimed_lat, told_at, told_lon, told_lat, look, original_kept)
    """,
)


async def add(conn: Conn, new: Sequence[NewAttachment], uploaded_by: str, now: datetime) -> None:
    """Keep new attachments, of no case yet."""
    await ADD.run(
        conn,
        [n.id for n in new],
        [n.sha256 for n in new],
        [n.original for n in new],
        [n.kind for n in new],
        [n.media_type for n in new],
        [n.size_bytes for n in new],
        [n.width for n in new],
        [n.height for n in new],
        [n.claimed_at for n in new],
        [n.claimed_lon for n in new],
        [n.claimed_lat for n in new],
        [n.told.taken_at for n in new],
        [n.told.lon for n in new],
        [n.told.lat for n in new],
        [n.look for n in new],
        [n.original_kept for n in new],
        uploaded_by,
        now,
    )


@dataclass(frozen=True)
class _Count:
    loose: int


LOOSE = Statement(
    _Count,
    """
    SELECT count(*)::integer AS loose
      FROM attachments
     WHERE uploaded_by = $1::text
       AND uploaded_at > $2::timestamptz
       AND case_id IS NULL
    """,
)


async def loose(conn: Conn, uploaded_by: str, since: datetime) -> int:
    """How many uploads of one caller since a moment belong to no case."""
    row = await LOOSE.one(conn, uploaded_by, since)
    assert row is not None  # noqa: S101 - one row by construction
    return row.loose


@dataclass(frozen=True)
class Seen:
    """An attachment that the caller may see: where its bytes are, and what is known of it."""

    id: UUID
    kind: str
    sha256: bytes
    original: bytes
    media_type: str
    size_bytes: int
    width: int | None
    height: int | None
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None
    told_at: datetime | None
    told_lon: float | None
    told_lat: float | None
    original_kept: bool
    case_id: UUID | None
    purpose: str | None
    uploaded_at: datetime
    removed_at: datetime | None


SEEN = Statement(
    Seen,
    """
    SELECT a.id, a.kind, a.sha256, a.original, a.media_type, a.size_bytes, a.width, a.height, a.claimed_at,
           a.claimed_lon, a.claimed_lat, a.told_at, a.told_lon, a.told_lat, a.original_kept, a.case_id, a.purpose,
           a.uploaded_at, a.removed_at
      FROM attachments a
     WHERE a.id = $1::uuid
       AND (a.uploaded_by = ANY ($2::text[])
            OR EXISTS (SELECT FROM cases c WHERE c.id = a.case_id AND c.seen_by && $2::text[]))
    """,
)


async def seen(conn: Conn, attachment_id: UUID, keys: Sequence[str]) -> Seen | None:
    """The attachment, if a caller who carries these scope keys uploaded it or sees its case; else None."""
    return await SEEN.one(conn, attachment_id, list(keys))


@dataclass(frozen=True)
class OfCase:
    """One attachment as a case shows it. The claims are the EXIF's: they prove nothing."""

    id: UUID
    kind: str
    purpose: str
    report_id: UUID | None
    sha256: bytes
    original: bytes
    width: int | None
    height: int | None
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None
    told_at: datetime | None
    told_lon: float | None
    told_lat: float | None
    uploaded_by: str
    uploaded_at: datetime
    removed_at: datetime | None


OF_CASE = Statement(
    OfCase,
    """
    SELECT id, kind, purpose, report_id, sha256, original, width, height, claimed_at, claimed_lon, claimed_lat,
           told_at, told_lon, told_lat, uploaded_by, uploaded_at, removed_at
      FROM attachments
     WHERE case_id = $1::uuid
     ORDER BY uploaded_at, id
    """,
)


async def of_case(conn: Conn, case_id: UUID) -> list[OfCase]:
    """Every attachment of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)


@dataclass(frozen=True)
class _Attached:
    id: UUID
    kind: str


# Locked in the order of ids, so that two moves which name the same pictures do not wait for each other in a ring.
ATTACH = Statement(
    _Attached,
    """
    WITH mine AS MATERIALIZED (
      SELECT id
        FROM attachments
       WHERE id = ANY ($1::uuid[])
         AND (case_id = $2::uuid OR case_id IS NULL AND uploaded_by = $5::text)
       ORDER BY id
         FOR UPDATE
    )
    UPDATE attachments a
       SET case_id = $2::uuid,
           report_id = coalesce(a.report_id, $3::uuid),
           purpose = coalesce(a.purpose, $4::text)
      FROM mine
     WHERE a.id = mine.id
    RETURNING a.id, a.kind
    """,
)


async def attach(
    conn: Conn, ids: Sequence[UUID], case_id: UUID, report_id: UUID | None, purpose: str, caller_id: str
) -> bool:
    """Make uploads evidence of a case, for `purpose` report, before, after or note; whether a photograph is among them.

    Each must be the caller's own and of no case yet, or of this case already: then it keeps the purpose and
    report it has, so twice changes nothing. Else raises Unknown that names the ids, and nothing may be
    committed. The same id twice counts once; no ids: nothing happens.
    """
    if not ids:
        return False
    rows = await ATTACH.all(conn, list(set(ids)), case_id, report_id, purpose, caller_id)
    attached = {row.id for row in rows}
    missing = [each for each in dict.fromkeys(ids) if each not in attached]
    if missing:
        raise not_yours(missing)
    return any(row.kind == PICTURE for row in rows)


# The same order of locks as ATTACH.
LOCK_LOOSE = Statement(
    _Attached,
    """
    SELECT a.id, a.kind
      FROM attachments a
           JOIN unnest($1::uuid[], $2::text[]) AS w (id, caller) ON w.id = a.id AND w.caller = a.uploaded_by
     WHERE a.case_id IS NULL
     ORDER BY a.id
       FOR UPDATE OF a
    """,
)


async def lock_loose(conn: Conn, wanted: Sequence[tuple[UUID, str]]) -> dict[UUID, bool]:
    """Those of `wanted` (upload, caller) that are the caller's own and of no case yet; held until the commit.

    Of each whether it is a photograph.
    """
    rows = await LOCK_LOOSE.all(conn, [each for each, _ in wanted], [who for _, who in wanted])
    return {row.id: row.kind == PICTURE for row in rows}


BELONG = Statement(
    Nothing,
    """
    UPDATE attachments a
       SET case_id = b.case_id, report_id = b.report_id, purpose = 'report'
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS b (id, case_id, report_id)
     WHERE a.id = b.id
    """,
)


async def belong(conn: Conn, evidence: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """Make uploads that the caller holds by `lock_loose` evidence of (upload, case, report); none: nothing happens."""
    if evidence:
        await BELONG.run(conn, *(list(column) for column in zip(*evidence, strict=True)))


def not_yours(missing: Sequence[UUID]) -> Unknown:
    """What to say of uploads that are not the caller's own, or belong to a case already."""
    given = [str(each) for each in missing]
    return Unknown(
        f"no such upload of yours: {', '.join(given)}", given=given, wanted="ids from POST /api/v1/attachments"
    )
