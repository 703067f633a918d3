"""Uploads on their way: how much of each arrived, until when it is waited for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.upload import Told


@dataclass(frozen=True, kw_only=True)
class NewUpload:
    """An upload that begins: its id is that of the attachment which it becomes."""

    id: UUID
    uploaded_by: str
    length: int
    metadata: str
    told: Told


@dataclass(frozen=True)
class OnItsWay:
    """How much a caller has on its way."""

    uploads: int
    bytes: int


# Two of one caller wait for each other: the limits are exact.
LOCK_CALLER = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtext('uploads'), hashtext($1::text))")

ON_ITS_WAY = Statement(
    OnItsWay,
    """
    SELECT count(*)::integer AS uploads, coalesce(sum(length), 0)::bigint AS bytes
      FROM uploads
     WHERE uploaded_by = $1::text
       AND state = 'open'
       AND expires_at > $2::timestamptz
    """,
)


async def on_its_way(conn: Conn, uploaded_by: str, now: datetime) -> OnItsWay:
    """Open uploads of one caller, and the bytes they announce; held until the commit."""
    await LOCK_CALLER.run(conn, uploaded_by)
    row = await ON_ITS_WAY.one(conn, uploaded_by, now)
    assert row is not None  # noqa: S101 - one row by construction
    return row


_ADD = Statement(
    Nothing,
    """
    INSERT INTO uploads (id, uploaded_by, length, metadata, told_at, told_lon, told_lat, created_at, expires_at)
    VALUES ($1::uuid, $2::text, $3::bigint, $4::text, $5::timestamptz, $6::float8, $7::float8, $8::timestamptz,
            $9::timestamptz)
    """,
)


async def add(conn: Conn, new: NewUpload, now: datetime, expires_at: datetime) -> None:
    """Keep a new upload of which nothing arrived yet."""
    told = new.told
    await _ADD.run(
        conn, new.id, new.uploaded_by, new.length, new.metadata, told.taken_at, told.lon, told.lat, now, expires_at
    )  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """One upload as it stands. `refusal` is JSON: why its file was refused."""

    id: UUID
    length: int
    received: int
    state: str
    refusal: str | None
    metadata: str
    told_at: datetime | None
    told_lon: float | None
    told_lat: float | None
    expires_at: datetime

    @property
    def told(self) -> Told:
        """What its sender said of it."""
        return Told(taken_at=self.told_at, lon=self.told_lon, lat=self.told_lat)


OF_CALLER = Statement(
    Upload,
    """
    SELECT id, length, received, state, refusal::text AS refusal, metadata, told_at, told_lon, told_lat, expires_at
      FROM uploads
     WHERE id = $1::uuid
       AND uploaded_by = $2::text
       AND expires_at > $3::timestamptz
    """,
)


async def of_caller(conn: Conn, upload_id: UUID, caller_id: str, now: datetime) -> Upload | None:
    """The caller's own upload; None: there is none, it is another's, or its time is over."""
    return await OF_CALLER.one(conn, upload_id, caller_id, now)


# Whoever advances it holds its file; the old offset stands here so that nothing can go back or be skipped.
ADVANCE = Statement(
    Nothing,
    """
    UPDATE uploads
       SET received = $3::bigint, expires_at = $4::timestamptz
     WHERE id = $1::uuid
       AND state = 'open'
       AND received = $2::bigint
    """,
)

KEPT = Statement(Nothing, "UPDATE uploads SET state = 'kept', received = length WHERE id = $1::uuid AND state = 'open'")

_REFUSED = Statement(
    Nothing,
    """
    UPDATE uploads
       SET state = 'refused', received = length, refusal = $2::text::jsonb
     WHERE id = $1::uuid
       AND state = 'open'
    """,
)


async def refused(conn: Conn, upload_id: UUID, refusal: dict[str, object]) -> None:
    """The whole file is there and is none that is kept; its sender is told so as often as he asks."""
    await _REFUSED.run(conn, upload_id, msgspec.json.encode(refusal).decode())


END = Statement(Nothing, "DELETE FROM uploads WHERE id = $1::uuid AND uploaded_by = $2::text")


@dataclass(frozen=True)
class _Id:
    id: UUID


_REMOVE_EXPIRED = Statement(
    _Id,
    """
    DELETE FROM uploads u
     USING (SELECT id FROM uploads WHERE expires_at <= $1::timestamptz ORDER BY expires_at, id LIMIT $2::integer
               FOR UPDATE SKIP LOCKED) over
     WHERE u.id = over.id
    RETURNING u.id
    """,
)


async def remove_expired(conn: Conn, now: datetime, limit: int) -> int:
    """Forget uploads whose time is over, up to `limit`; how many."""
    return len(await _REMOVE_EXPIRED.all(conn, now, limit))


_OPEN = Statement(_Id, "SELECT id FROM uploads WHERE id = ANY ($1::uuid[]) AND state = 'open'")


async def still_open(conn: Conn, ids: list[UUID]) -> set[UUID]:
    """Those of these uploads of which more may come."""
    return {row.id for row in await _OPEN.all(conn, ids)}
