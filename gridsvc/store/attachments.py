"""Photographs: what is kept of each, who may see it, and which case it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.errors import Unknown


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A new attachment: digests of what is shown and of what was sent, and what its EXIF claimed."""

    id: UUID
    sha256: bytes
    original: bytes
    size_bytes: int
    width: int
    height: int
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None


ADD = Statement(
    Nothing,
    """
    INSERT INTO attachments (
           id, sha256, original, media_type, size_bytes, width, height,
           claimed_at, claimed_lon, claimed_lat, uploaded_by, uploaded_at)
    SELECT id, sha256, original, 'image/jpeg', size_bytes, width, height,
           claimed_at, claimed_lon, claimed_lat, $10::text, $11::timestamptz
      FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::integer[], $5::integer[], $6::integer[],
                  $7::text[], $8::float8[], $9::float8[])
           AS p (id, sha256, original, size_bytes, width, height, claimed_at, claimed_lon, claimed_lat)
    """,
)


async def add(conn: Conn, pictures: Sequence[Picture], uploaded_by: str, now: datetime) -> None:
    """Keep new attachments, of no case yet."""
    await ADD.run(
        conn,
        [p.id for p in pictures],
        [p.sha256 for p in pictures],
        [p.original for p in pictures],
        [p.size_bytes for p in pictures],
        [p.width for p in pictures],
        [p.height for p in pictures],
        [p.claimed_at for p in pictures],
        [p.claimed_lon for p in pictures],
        [p.claimed_lat for p in pictures],
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
    """An attachment that the caller may see: where its bytes are."""

    sha256: bytes
    media_type: str


SEEN = Statement(
    Seen,
    """
    SELECT a.sha256, a.media_type
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
    purpose: str
    report_id: UUID | None
    sha256: bytes
    original: bytes
    width: int | None
    height: int | None
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None
    uploaded_by: str
    uploaded_at: datetime


OF_CASE = Statement(
    OfCase,
    """
    SELECT id, purpose, report_id, sha256, original, width, height,
           claimed_at, claimed_lon, claimed_lat, uploaded_by, uploaded_at
      FROM attachments
     WHERE case_id = $1::uuid
     ORDER BY uploaded_at, id
    """,
)


async def of_case(conn: Conn, case_id: UUID) -> list[OfCase]:
    """Every attachment of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)


@dataclass(frozen=True)
class _Id:
    id: UUID


# Locked in the order of ids, so that two moves which name the same pictures do not wait for each other in a ring.
ATTACH = Statement(
    _Id,
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
    RETURNING a.id
    """,
)


async def attach(
    conn: Conn, ids: Sequence[UUID], case_id: UUID, report_id: UUID | None, purpose: str, caller_id: str
) -> None:
    """Make uploads evidence of a case, for `purpose` report, before, after or note.

    Each must be the caller's own and of no case yet, or of this case already: then it keeps the purpose and
    report it has, so twice changes nothing. Else raises Unknown that names the ids, and nothing may be
    committed. The same id twice counts once; no ids: nothing happens.
    """
    if not ids:
        return
    attached = {row.id for row in await ATTACH.all(conn, list(set(ids)), case_id, report_id, purpose, caller_id)}
    missing = [each for each in dict.fromkeys(ids) if each not in attached]
    if missing:
        raise not_yours(missing)


# The same order of locks as ATTACH.
LOCK_LOOSE = Statement(
    _Id,
    """
    SELECT a.id
      FROM attachments a
           JOIN unnest($1::uuid[], $2::text[]) AS w (id, caller) ON w.id = a.id AND w.caller = a.uploaded_by
     WHERE a.case_id IS NULL
     ORDER BY a.id
       FOR UPDATE OF a
    """,
)


async def lock_loose(conn: Conn, wanted: Sequence[tuple[UUID, str]]) -> set[UUID]:
    """Those of `wanted` (upload, caller) that are the caller's own and of no case yet; held until the commit."""
    return {row.id for row in await LOCK_LOOSE.all(conn, [each for each, _ in wanted], [who for _, who in wanted])}


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
