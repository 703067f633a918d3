"""Files of attachments: which lie in the store, until when, what was removed, and who opened an original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.keeping import Keeping, Standing

# -- what lies there -----------------------------------------------------------------------------------

_ADD = Statement(
    Nothing,
    """
    INSERT INTO attachment_files (sha256, kind, size_bytes, written_at)
    SELECT sha256, kind, size_bytes, $1::timestamptz
      FROM unnest($2::bytea[], $3::text[], $4::integer[]) AS f (sha256, kind, size_bytes)
     ORDER BY sha256, kind
        ON CONFLICT (sha256, kind)
        DO UPDATE SET written_at = greatest(attachment_files.written_at, excluded.written_at)
    """,
)


async def add(conn: Conn, files: Sequence[tuple[bytes, str, int]], now: datetime) -> None:
    """Say of files (digest, kind, size) that they will lie in the store: committed before they are written."""
    if files:
        await _ADD.run(conn, now, *(list(column) for column in zip(*files, strict=True)))


@dataclass(frozen=True)
class FileRow:
    """A file in the store."""

    sha256: bytes
    kind: str


_UNUSED: str = """
       NOT EXISTS (SELECT FROM attachments a WHERE a.sha256 = f.sha256 AND a.kind = f.kind AND a.removed_at IS NULL)
       AND NOT (f.kind = 'original' AND EXISTS (SELECT FROM attachments a
                                                 WHERE a.original = f.sha256 AND a.original_kept))
"""

# One that was written a moment ago may belong to an upload that is not committed yet.
LEFT = Statement(
    FileRow,
    f"""
    SELECT f.sha256, f.kind
      FROM attachment_files f
     WHERE f.written_at < $1::timestamptz
       AND {_UNUSED}
     ORDER BY f.written_at, f.sha256, f.kind
     LIMIT $2::integer
    """,  # noqa: S608 - a text of ours
)

# Looked at anew under the lock of its row: whoever writes the same file again has said so first.
REMOVE = Statement(
    FileRow,
    f"""
    DELETE FROM attachment_files f
     WHERE f.sha256 = $1::bytea
       AND f.kind = $2::text
       AND f.written_at < $3::timestamptz
       AND {_UNUSED}
    RETURNING f.sha256, f.kind
    """,  # noqa: S608 - a text of ours
)

USED_AFTER = Statement(
    FileRow,
    f"""
    SELECT f.sha256, f.kind
      FROM attachment_files f
     WHERE (f.sha256, f.kind) > ($1::bytea, $2::text)
       AND NOT ({_UNUSED})
     ORDER BY f.sha256, f.kind
     LIMIT $3::integer
    """,  # noqa: S608 - a text of ours
)

STILL_USED = Statement(
    FileRow,
    f"""
    SELECT f.sha256, f.kind
      FROM attachment_files f
      JOIN unnest($1::bytea[], $2::text[]) AS m (sha256, kind) ON m.sha256 = f.sha256 AND m.kind = f.kind
     WHERE NOT ({_UNUSED})
    """,  # noqa: S608 - a text of ours
)

KNOWN = Statement(
    FileRow,
    """
    SELECT sha256, kind
      FROM attachment_files
     WHERE sha256 = ANY ($1::bytea[])
       AND (kind = 'original') = $2::boolean
    """,
)

# -- until when ----------------------------------------------------------------------------------------

_RULES = Statement(Keeping, "SELECT loose_days, picture_days, sound_days, original_days FROM attachment_rules")


async def rules(conn: Conn) -> Keeping:
    """The rules in force."""
    row = await _RULES.one(conn)
    assert row is not None  # noqa: S101 - the migration puts the one row there, and nothing removes it
    return row


@dataclass(frozen=True)
class ToSweep:
    """An attachment whose time is to be looked at, with what it hangs on."""

    id: UUID
    kind: str
    sha256: bytes
    original: bytes
    original_kept: bool
    case_id: UUID | None
    uploaded_at: datetime
    over_at: datetime | None

    @property
    def standing(self) -> Standing:
        """As the decision knows it."""
        return Standing(uploaded_at=self.uploaded_at, of_case=self.case_id is not None, over_at=self.over_at)


# The case is not locked: one that is reopened in these milliseconds loses what was due anyway.
LOCK_TO_SWEEP = Statement(
    ToSweep,
    """
    SELECT a.id, a.kind, a.sha256, a.original, a.original_kept, a.case_id, a.uploaded_at,
           (SELECT CASE WHEN c.state IN ('closed', 'rejected', 'cancelled', 'merged')
                        THEN coalesce(c.closed_at, c.updated_at) END
              FROM cases c
             WHERE c.id = a.case_id) AS over_at
      FROM attachments a
     WHERE a.sweep_at <= $1::timestamptz
     ORDER BY a.sweep_at, a.id
     LIMIT $2::integer
       FOR UPDATE OF a SKIP LOCKED
    """,
)

SWEEP_LATER = Statement(
    Nothing,
    """
    UPDATE attachments a
       SET sweep_at = u.sweep_at
      FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, sweep_at)
     WHERE a.id = u.id
    """,
)

LET_ORIGINALS_GO = Statement(Nothing, "UPDATE attachments SET original_kept = false WHERE id = ANY ($1::uuid[])")

REMOVE_LOOSE = Statement(Nothing, "DELETE FROM attachments WHERE id = ANY ($1::uuid[]) AND case_id IS NULL")

REMOVE_OF_CASES = Statement(
    Nothing,
    """
    UPDATE attachments
       SET removed_at = $2::timestamptz, sweep_at = NULL, original_kept = false, look = NULL
     WHERE id = ANY ($1::uuid[])
    """,
)

FORGET_LOOKS = Statement(Nothing, "DELETE FROM attachment_looks WHERE attachment_id = ANY ($1::uuid[])")


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Something that goes, and until when it had to be kept."""

    id: UUID
    attachment_id: UUID
    case_id: UUID | None
    kind: str
    why: str
    sha256: bytes
    kept_until: datetime


_REMOVED = Statement(
    Nothing,
    """
    INSERT INTO attachment_removals (id, attachment_id, case_id, kind, why, sha256, kept_until, removed_at)
    SELECT id, attachment_id, case_id, kind, why, sha256, kept_until, $1::timestamptz
      FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[])
        AS r (id, attachment_id, case_id, kind, why, sha256, kept_until)
    """,
)


async def removed(conn: Conn, removals: Sequence[Removal], now: datetime) -> None:
    """Put removals on record."""
    await _REMOVED.run(
        conn, now, [r.id for r in removals], [r.attachment_id for r in removals], [r.case_id for r in removals],
        [r.kind for r in removals], [r.why for r in removals], [r.sha256 for r in removals],
        [r.kept_until for r in removals],
    )  # fmt: skip


# -- originals -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Somebody opens the original of one attachment, and says why."""

    id: UUID
    attachment_id: UUID
    opened_by: UUID
    reason: str


_OPEN = Statement(
    Nothing,
    """
    INSERT INTO original_openings (id, attachment_id, opened_by, reason, opened_at)
    SELECT $1::uuid, a.id, $3::uuid, $4::text, $5::timestamptz
      FROM attachments a
      JOIN cases c ON c.id = a.case_id
     WHERE a.id = $2::uuid
       AND a.original_kept
       AND c.seen_by && $6::text[]
    """,
)


async def open_original(conn: Conn, opening: Opening, keys: Sequence[str], now: datetime) -> bool:
    """Put an opening on record; False when no original is kept, or `keys` do not open the case."""
    return await _OPEN.run(
        conn, opening.id, opening.attachment_id, opening.opened_by, opening.reason, now, list(keys)
    ) > 0  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """Whose original an opening shows."""

    attachment_id: UUID
    original: bytes


OPENED = Statement(
    Opened,
    """
    SELECT a.id AS attachment_id, a.original
      FROM original_openings o
      JOIN attachments a ON a.id = o.attachment_id
     WHERE o.id = $1::uuid
       AND o.opened_by = $2::uuid
       AND o.opened_at > $3::timestamptz
       AND a.original_kept
    """,
)
