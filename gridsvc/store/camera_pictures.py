"""The tables of pictures of cameras: what came, what waits, what is kept, and what is counted of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.camera_picture import Keeping, Kind, Limits, Standing

# -- rules -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PictureRules:
    """The row of `camera_picture_rules`."""

    of_event: int
    of_hour: int
    waiting_bytes: int
    attempts: int
    at_once_per_host: int
    open_days: int
    closed_days: int
    false_days: int
    nothing_days: int
    look_days: int

    @property
    def limits(self) -> Limits:
        """How many are taken in."""
        return Limits(of_event=self.of_event, of_hour=self.of_hour, waiting_bytes=self.waiting_bytes)

    @property
    def keeping(self) -> Keeping:
        """For how long they are kept."""
        return Keeping(
            {
                Kind.OPEN: self.open_days, Kind.CLOSED: self.closed_days, Kind.FALSE: self.false_days,
                Kind.NOTHING: self.nothing_days, Kind.LOOK: self.look_days,
            }
        )  # fmt: skip


_RULES = Statement(
    PictureRules,
    """
    SELECT of_event, of_hour, waiting_bytes, attempts, at_once_per_host, open_days, closed_days, false_days,
           nothing_days, look_days
      FROM camera_picture_rules
    """,
)


async def rules(conn: Conn) -> PictureRules:
    """The rules in force."""
    row = await _RULES.one(conn)
    assert row is not None  # noqa: S101 - the migration puts the one row there, and nothing removes it
    return row


# -- what comes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """How many pictures of a camera were taken in since a moment."""

    camera: str
    pictures: int


TAKEN = Statement(
    Taken,
    """
    SELECT camera, count(*)::integer AS pictures
      FROM camera_pictures
     WHERE camera = ANY ($1::text[])
       AND received_at > $2::timestamptz
       AND came_as <> 'look'
     GROUP BY camera
    """,
)


@dataclass(frozen=True)
class _Waiting:
    bytes: int


_WAITING = Statement(
    _Waiting, "SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM camera_pictures WHERE state = 'waiting'"
)


async def waiting_bytes(conn: Conn) -> int:
    """Bytes of all that waits to be drawn."""
    row = await _WAITING.one(conn)
    assert row is not None  # noqa: S101 - one row by construction
    return row.bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPicture:
    """A picture on its way into the table: `content` as it was sent, or `url` with the host that may be asked."""

    id: UUID
    camera: str
    event_id: UUID | None = None
    event_at: datetime | None = None
    look_id: UUID | None = None
    number: int = 0
    came_as: str
    url: str | None = None
    host: str | None = None
    content: bytes = b""


_ADD = Statement(
    Nothing,
    """
    INSERT INTO camera_pictures (id, camera, event_id, event_at, look_id, number, came_as, url, host, bytes,
                                 received_at, state, due_at)
    SELECT id, camera, event_id, event_at, look_id, number, came_as, url, host, bytes, $1::timestamptz, 'waiting',
           $1::timestamptz
      FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::uuid[], $7::integer[], $8::text[],
                  $9::text[], $10::text[], $11::integer[])
        AS u (id, camera, event_id, event_at, look_id, number, came_as, url, host, bytes)
    """,
)

_ADD_BYTES = Statement(
    Nothing,
    """
    INSERT INTO camera_picture_bytes (picture_id, content)
    SELECT id, content FROM unnest($1::uuid[], $2::bytea[]) AS u (id, content)
    """,
)


async def add(conn: Conn, pictures: Sequence[NewPicture], now: datetime) -> None:
    """Keep new pictures that wait to be looked at, with their bytes."""
    if not pictures:
        return
    await _ADD.run(
        conn, now, [p.id for p in pictures], [p.camera for p in pictures], [p.event_id for p in pictures],
        [p.event_at for p in pictures], [p.look_id for p in pictures], [p.number for p in pictures],
        [p.came_as for p in pictures], [p.url for p in pictures], [p.host for p in pictures],
        [len(p.content) for p in pictures],
    )  # fmt: skip
    sent = [p for p in pictures if p.came_as == "sent"]
    if sent:
        await _ADD_BYTES.run(conn, [p.id for p in sent], [p.content for p in sent])


_COUNT = Statement(
    Nothing,
    """
    INSERT INTO camera_picture_counts AS c (camera, hour, outcome, reason, pictures)
    SELECT u.camera, date_trunc('hour', u.at, 'UTC'), u.outcome, u.reason, sum(u.pictures)
      FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[])
        AS u (camera, at, outcome, reason, pictures)
     GROUP BY 1, 2, 3, 4
     ORDER BY 1, 2, 3, 4
        ON CONFLICT (camera, hour, outcome, reason) DO UPDATE SET pictures = c.pictures + excluded.pictures
    """,
)

PictureCount = tuple[str, datetime, str, str]
"""Camera, when the picture came, outcome, reason."""


async def count(conn: Conn, counted: Counter[PictureCount]) -> None:
    """Add to the counts of the hours in which pictures came; in one order, so that two never wait for each other."""
    if counted:
        names = list(counted)
        await _COUNT.run(
            conn, [n[0] for n in names], [n[1] for n in names], [n[2] for n in names], [n[3] for n in names],
            [counted[n] for n in names],
        )  # fmt: skip


# -- what becomes of their events -----------------------------------------------------------------------

_FOLLOW = Statement(
    Nothing,
    """
    UPDATE camera_pictures AS p
       SET case_id = coalesce(u.case_id, p.case_id), review_id = coalesce(u.review_id, p.review_id)
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (event_id, case_id, review_id)
     WHERE p.event_id = u.event_id
    """,
)


async def follow(conn: Conn, led: Sequence[tuple[UUID, UUID | None, UUID | None]]) -> None:
    """Pictures go with their events (event, case, review): to the case, and to the review in which they stand."""
    if led:
        await _FOLLOW.run(conn, *(list(column) for column in zip(*led, strict=True)))


@dataclass(frozen=True)
class Gone:
    """A picture whose row was taken away."""

    camera: str
    received_at: datetime


# Beyond the rate a sample keeps its picture: it is kept to be looked at.
DROP_OF_NOTHING = Statement(
    Gone,
    """
    WITH nothing AS MATERIALIZED (
      SELECT p.id
        FROM camera_pictures p
        LEFT JOIN camera_events e ON e.received_at = p.event_at AND e.id = p.event_id
       WHERE p.state = 'waiting'
         AND p.event_id IS NOT NULL
         AND p.due_at <= $1::timestamptz
         AND (e.id IS NULL
              OR e.outcome = 'rejected'
              OR e.outcome = 'suppressed' AND e.outcome_reason <> 'rate')
       ORDER BY p.id
       LIMIT $2::integer
         FOR UPDATE OF p SKIP LOCKED
    )
    DELETE FROM camera_pictures p
     USING nothing n
     WHERE p.id = n.id
    RETURNING p.camera, p.received_at
    """,
)


@dataclass(frozen=True)
class Claimed:
    """A picture that this worker is at until its lease ends."""

    id: UUID
    camera: str
    came_as: str
    url: str | None
    attempts: int
    received_at: datetime


_CLAIM: str = """
    UPDATE camera_pictures p
       SET due_at = $1::timestamptz + $2::interval, attempts = p.attempts + 1
      FROM (SELECT p.id
              FROM camera_pictures p
              LEFT JOIN camera_events e ON e.received_at = p.event_at AND e.id = p.event_id
             WHERE p.state = 'waiting'
               AND p.due_at <= $1::timestamptz
               AND {which}
               AND (p.event_id IS NULL
                    OR e.outcome IN ('opened', 'joined', 'review')
                    OR e.outcome = 'suppressed' AND e.outcome_reason = 'rate')
             ORDER BY p.look_id IS NULL, p.received_at, p.id
             LIMIT $3::integer
               FOR UPDATE OF p SKIP LOCKED) mine
     WHERE p.id = mine.id
    RETURNING p.id, p.camera, p.came_as, p.url, p.attempts, p.received_at
    """

CLAIM_SENT = Statement(Claimed, _CLAIM.format(which="p.came_as = 'sent'"))

# Those whose host was taken off the list are nobody's: whoever claims them refuses them.
CLAIM_OF_HOST = Statement(
    Claimed, _CLAIM.format(which="p.came_as <> 'sent' AND p.host IS NOT DISTINCT FROM $4::text")
)


@dataclass(frozen=True)
class _Bytes:
    content: bytes


_CONTENT = Statement(_Bytes, "SELECT content FROM camera_picture_bytes WHERE picture_id = $1::uuid")


async def content(conn: Conn, picture_id: UUID) -> bytes:
    """The bytes as they were sent."""
    row = await _CONTENT.one(conn, picture_id)
    return b"" if row is None else row.content


@dataclass(frozen=True)
class _Host:
    code: str


# One worker asks a host at a time, whatever their number: so few requests are at it at once.
_LEASE_HOSTS = Statement(
    _Host,
    """
    UPDATE camera_hosts h
       SET leased_until = $1::timestamptz + $2::interval
      FROM (SELECT code
              FROM camera_hosts h
             WHERE leased_until <= $1::timestamptz
               AND EXISTS (SELECT
                             FROM camera_pictures p
                            WHERE p.host = h.code AND p.state = 'waiting' AND p.due_at <= $1::timestamptz)
             ORDER BY code
               FOR UPDATE SKIP LOCKED) free
     WHERE h.code = free.code
    RETURNING h.code
    """,
)


async def lease_hosts(conn: Conn, lease: timedelta, now: datetime) -> list[str]:
    """Hosts from which something is to be fetched, and that nobody else asks until the lease ends."""
    return [row.code for row in await _LEASE_HOSTS.all(conn, now, lease)]


FREE_HOST = Statement(Nothing, "UPDATE camera_hosts SET leased_until = '-infinity' WHERE code = $1::text")

# -- what is kept ------------------------------------------------------------------------------------

ADD_FILE = Statement(
    Nothing,
    """
    INSERT INTO camera_files (sha256, size_bytes, written_at)
    VALUES ($1::bytea, $2::integer, $3::timestamptz)
        ON CONFLICT (sha256) DO UPDATE SET written_at = greatest(camera_files.written_at, excluded.written_at)
    """,
)

# Whoever writes a file or takes it away holds it: nobody takes away what another has just found there.
HOLD_FILE = Statement(
    Nothing, "SELECT pg_advisory_xact_lock(hashtext('camera file'), hashtext(encode($1::bytea, 'hex')))"
)

KEEP = Statement(
    Nothing,
    """
    UPDATE camera_pictures
       SET state = 'kept', reason = '', due_at = NULL, sweep_at = $6::timestamptz, settled_at = $6::timestamptz,
           sha256 = $2::bytea, original = $3::bytea, width = $4::integer, height = $5::integer
     WHERE id = $1::uuid
       AND state = 'waiting'
    """,
)

REFUSE = Statement(
    Nothing,
    """
    UPDATE camera_pictures
       SET state = 'refused', reason = $2::text, due_at = NULL, sweep_at = $3::timestamptz, settled_at = $3::timestamptz
     WHERE id = $1::uuid
       AND state = 'waiting'
    """,
)

TRY_AGAIN = Statement(
    Nothing,
    """
    UPDATE camera_pictures
       SET due_at = $3::timestamptz, reason = $2::text
     WHERE id = $1::uuid
       AND state = 'waiting'
    """,
)

REMOVE_BYTES = Statement(Nothing, "DELETE FROM camera_picture_bytes WHERE picture_id = $1::uuid")

# -- until when --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToSweep:
    """A picture whose time is to be looked at, with what it hangs on."""

    id: UUID
    camera: str
    received_at: datetime
    look: bool
    case_over: bool | None
    case_over_at: datetime | None
    reviewed: bool
    verdict: str | None
    verdict_at: datetime | None

    @property
    def standing(self) -> Standing:
        """As the decision knows it."""
        return Standing(
            received_at=self.received_at, look=self.look, case_over=self.case_over, case_over_at=self.case_over_at,
            reviewed=self.reviewed, verdict=self.verdict, verdict_at=self.verdict_at,
        )  # fmt: skip


LOCK_TO_SWEEP = Statement(
    ToSweep,
    """
    SELECT p.id, p.camera, p.received_at, p.look_id IS NOT NULL AS look,
           c.state IN ('closed', 'rejected', 'cancelled', 'merged') AS case_over,
           coalesce(c.closed_at, c.updated_at) AS case_over_at,
           r.id IS NOT NULL AS reviewed, r.verdict, r.verdict_at
      FROM camera_pictures p
      LEFT JOIN cases c ON c.id = p.case_id
      LEFT JOIN camera_reviews r ON r.id = p.review_id
     WHERE p.sweep_at <= $1::timestamptz
     ORDER BY p.sweep_at, p.id
     LIMIT $2::integer
       FOR UPDATE OF p SKIP LOCKED
    """,
)

SWEEP_LATER = Statement(
    Nothing,
    """
    UPDATE camera_pictures p
       SET sweep_at = u.sweep_at
      FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, sweep_at)
     WHERE p.id = u.id
    """,
)

REMOVE = Statement(Nothing, "DELETE FROM camera_pictures WHERE id = ANY ($1::uuid[])")


@dataclass(frozen=True)
class FileRow:
    """A file of a picture."""

    sha256: bytes


# One that was written a moment ago may belong to a picture that is not committed yet.
LEFT_FILES = Statement(
    FileRow,
    """
    SELECT f.sha256
      FROM camera_files f
     WHERE f.written_at < $1::timestamptz
       AND NOT EXISTS (SELECT FROM camera_pictures p WHERE p.sha256 = f.sha256)
     ORDER BY f.written_at, f.sha256
     LIMIT $2::integer
    """,
)

REMOVE_FILE = Statement(
    FileRow,
    """
    DELETE FROM camera_files f
     WHERE f.sha256 = $1::bytea
       AND NOT EXISTS (SELECT FROM camera_pictures p WHERE p.sha256 = f.sha256)
    RETURNING f.sha256
    """,
)

FILES_AFTER = Statement(
    FileRow,
    """
    SELECT f.sha256
      FROM camera_files f
     WHERE f.sha256 > $1::bytea
       AND EXISTS (SELECT FROM camera_pictures p WHERE p.sha256 = f.sha256)
     ORDER BY f.sha256
     LIMIT $2::integer
    """,
)

USED_FILES = Statement(
    FileRow,
    """
    SELECT f.sha256
      FROM camera_files f
     WHERE f.sha256 = ANY ($1::bytea[])
       AND EXISTS (SELECT FROM camera_pictures p WHERE p.sha256 = f.sha256)
    """,
)

KNOWN_FILES = Statement(FileRow, "SELECT sha256 FROM camera_files WHERE sha256 = ANY ($1::bytea[])")

# -- reading -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PictureRow:
    """One picture as it is shown."""

    id: UUID
    camera: str
    event_id: UUID | None
    look_id: UUID | None
    number: int
    came_as: str
    received_at: datetime
    state: str
    reason: str
    width: int | None
    height: int | None
    sha256: bytes | None
    review_id: UUID | None
    case_id: UUID | None


_SHOWN: str = """
    SELECT p.id, p.camera, p.event_id, p.look_id, p.number, p.came_as, p.received_at, p.state, p.reason, p.width,
           p.height, p.sha256, p.review_id, p.case_id
      FROM camera_pictures p
    """

ONE = Statement(PictureRow, f"{_SHOWN} WHERE p.id = $1::uuid")

OF_EVENT = Statement(PictureRow, f"{_SHOWN} WHERE p.event_id = $1::uuid ORDER BY p.number, p.id")

OF_CASE = Statement(
    PictureRow,
    f"""
    {_SHOWN}
      JOIN cases c ON c.id = p.case_id
     WHERE p.case_id = $1::uuid
       AND c.seen_by && $2::text[]
       AND ($3::timestamptz IS NULL OR (p.received_at, p.id) > ($3::timestamptz, $4::uuid))
     ORDER BY p.received_at, p.id
     LIMIT $5::integer
    """,
)

# The newest few of each: who judges wants to see what the camera saw last.
OF_REVIEWS = Statement(
    PictureRow,
    f"""
    SELECT q.*
      FROM unnest($1::uuid[]) AS r (id)
     CROSS JOIN LATERAL ({_SHOWN}
                          WHERE p.review_id = r.id
                          ORDER BY p.received_at DESC, p.number, p.id
                          LIMIT 4) q
    """,  # noqa: S608 - a text of ours
)

OF_EVENTS = Statement(PictureRow, f"{_SHOWN} WHERE p.event_id = ANY ($1::uuid[]) ORDER BY p.number, p.id")

OF_LOOKS = Statement(PictureRow, f"{_SHOWN} WHERE p.look_id = ANY ($1::uuid[]) ORDER BY p.id")

LAST_OF_CAMERA = Statement(
    PictureRow,
    f"{_SHOWN} WHERE p.camera = $1::text AND p.state = 'kept' ORDER BY p.received_at DESC, p.id DESC LIMIT 1",
)


@dataclass(frozen=True)
class Counted:
    """How many pictures of a camera ended how."""

    outcome: str
    reason: str
    pictures: int


COUNTED = Statement(
    Counted,
    """
    SELECT outcome, reason, sum(pictures)::bigint AS pictures
      FROM (SELECT outcome, reason, pictures
              FROM camera_picture_counts
             WHERE camera = $1::text
               AND hour > $2::timestamptz
             UNION ALL
            SELECT state, reason, 1
              FROM camera_pictures
             WHERE camera = $1::text
               AND date_trunc('hour', received_at, 'UTC') > $2::timestamptz) AS all_of_them
     GROUP BY outcome, reason
     ORDER BY outcome, reason
    """,
)
