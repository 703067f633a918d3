"""What devices' words mean (`camera_labels`), and words that nobody has given a meaning (`unmapped_labels`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from events.storm import Mode
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.camera_label import KnownWords, Label, Row
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class LabelRow:
    """One row of the map as it is kept. `camera` None: every camera of `protocol`."""

    id: int
    camera: str | None
    protocol: str
    kind: str
    zone: str
    target: str
    edition: str
    category: str | None
    mode: str
    written_at: datetime
    written_by: str

    def label(self) -> Label:
        """The same for gridsvc.domain.camera_label.find_label."""
        return Label(
            id=self.id, camera=self.camera, protocol=self.protocol, kind=self.kind, zone=self.zone,
            target=self.target, edition=self.edition, category=self.category, mode=Mode(self.mode),
        )  # fmt: skip


_COLUMNS = """
    SELECT id, camera, protocol, kind, zone, target, edition, category, mode, written_at, written_by
      FROM camera_labels
"""

# Those that can count for a camera: its own, and those of its protocol.
FOR_CAMERAS = Statement(
    LabelRow,
    f"""
{_COLUMNS}     WHERE camera IS NULL OR camera = ANY ($1::text[])
     ORDER BY id
    """,
)

ALL = Statement(
    LabelRow,
    f"""
{_COLUMNS}     WHERE ($1::text IS NULL OR camera = $1::text)
       AND ($2::text IS NULL OR protocol = $2::text)
       AND id > $3::bigint
     ORDER BY id
     LIMIT $4::integer
    """,
)


async def labels_for(conn: Conn, cameras: Sequence[str]) -> list[Label]:
    """Every row that can count for one of these cameras, in the order of writing."""
    return [row.label() for row in await FOR_CAMERAS.all(conn, list(cameras))]


# Written again a row keeps its place in the order.
_KEEP = Statement(
    LabelRow,
    """
    INSERT INTO camera_labels (camera, protocol, kind, zone, target, edition, category, mode, written_at, written_by)
    SELECT camera, protocol, kind, zone, target, edition, nullif(category, ''), mode, $2::timestamptz, $3::text
      FROM ROWS FROM (json_to_recordset($1::text::json) AS (
             camera text, protocol text, kind text, zone text, target text, edition text, category text, mode text))
           WITH ORDINALITY AS r (camera, protocol, kind, zone, target, edition, category, mode, place)
     ORDER BY place
        ON CONFLICT (coalesce(camera, '*'), protocol, kind, zone, target, edition) DO UPDATE
       SET category = excluded.category, mode = excluded.mode, written_at = excluded.written_at,
           written_by = excluded.written_by
    RETURNING id, camera, protocol, kind, zone, target, edition, category, mode, written_at, written_by
    """,
)


async def keep(conn: Conn, rows: Sequence[Row], actor: str, now: datetime) -> list[LabelRow]:
    """Write these rows; one that is there already is changed. No two of them may be the same row."""
    fields = [
        {
            "camera": each.camera, "protocol": each.protocol, "kind": each.kind, "zone": each.zone,
            "target": each.target, "edition": each.edition, "category": each.category, "mode": each.mode,
        }
        for each in rows
    ]  # fmt: skip
    return await _KEEP.all(conn, rows_text(fields), now, actor)


REMOVE = Statement(Nothing, "DELETE FROM camera_labels WHERE id = $1::bigint")

ONE = Statement(
    LabelRow,
    f"""
{_COLUMNS}     WHERE id = $1::bigint
    """,
)


@dataclass(frozen=True)
class _Known:
    cameras: list[str]
    protocols: list[str]
    editions: list[str]
    categories: list[str]
    default_edition: str | None


_KNOWN = Statement(
    _Known,
    """
    SELECT ARRAY(SELECT code::text FROM cameras WHERE code = ANY ($1::text[])) AS cameras,
           ARRAY(SELECT code FROM camera_protocols) AS protocols,
           ARRAY(SELECT edition FROM categories ORDER BY edition, code) AS editions,
           ARRAY(SELECT code::text FROM categories ORDER BY edition, code) AS categories,
           (SELECT code FROM category_editions WHERE is_default) AS default_edition
    """,
)


async def known_words(conn: Conn, cameras: Sequence[str]) -> KnownWords:
    """What a row may name; of cameras those of `cameras` that there are, and are in sight."""
    row = await _KNOWN.one(conn, list(cameras))
    assert row is not None  # noqa: S101 - one row by construction
    return KnownWords(
        cameras=frozenset(row.cameras),
        protocols=frozenset(row.protocols),
        categories=frozenset(zip(row.editions, row.categories, strict=True)),
        default_edition=row.default_edition,
    )


# -- what nobody has given a meaning --------------------------------------------------------------


_RECORD = Statement(
    Nothing,
    """
    INSERT INTO unmapped_labels AS u (camera, kind, zone, target, count, first_at, last_at)
    SELECT r.camera, r.kind, r.zone, r.target, r.count, $1::timestamptz, $1::timestamptz
      FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[])
        AS r (camera, kind, zone, target, count)
     ORDER BY r.camera, r.kind, r.zone, r.target
        ON CONFLICT (camera, kind, zone, target) DO UPDATE
       SET count = u.count + excluded.count, last_at = greatest(u.last_at, excluded.last_at),
           first_at = least(u.first_at, excluded.first_at)
    """,
)


Word = tuple[str, str, str, str]
"""Camera, kind, zone and target, the last two "" where the event named none."""


async def record_unmapped(conn: Conn, said: Counter[Word], now: datetime) -> None:
    """Count events whose words no row of the map knows: they become a task for an administrator, not a loss."""
    counted: Counter[Word] = Counter()
    for (camera, *words), many in said.items():
        kind, zone, target = (word.lower() for word in words)
        counted[camera, kind, zone, target] += many
    if counted:
        names = list(counted)
        await _RECORD.run(
            conn, now, [n[0] for n in names], [n[1] for n in names], [n[2] for n in names], [n[3] for n in names],
            list(counted.values()),
        )  # fmt: skip


@dataclass(frozen=True)
class Unmapped:
    """A word that came and that nobody has given a meaning."""

    camera: str
    camera_name: str
    protocol: str
    kind: str
    zone: str
    target: str
    count: int
    first_at: datetime
    last_at: datetime


UNMAPPED = Statement(
    Unmapped,
    """
    SELECT u.camera, c.name AS camera_name, c.protocol, u.kind, u.zone, u.target, u.count, u.first_at, u.last_at
      FROM unmapped_labels u
           JOIN cameras c ON c.code = u.camera
     WHERE (u.camera, u.kind, u.zone, u.target) > ($1::text, $2::text, $3::text, $4::text)
     ORDER BY u.camera, u.kind, u.zone, u.target
     LIMIT $5::integer
    """,
)

_SETTLE = Statement(
    Nothing,
    """
    DELETE FROM unmapped_labels u
     USING json_to_recordset($1::text::json) AS r (camera text, kind text, zone text, target text)
     WHERE (u.camera, u.kind, u.zone, u.target) = (r.camera, r.kind, r.zone, r.target)
    """,
)


async def settle(conn: Conn, done: Sequence[Unmapped]) -> int:
    """These words have a meaning now; how many there were."""
    rows = [{"camera": u.camera, "kind": u.kind, "zone": u.zone, "target": u.target} for u in done]
    return await _SETTLE.run(conn, rows_text(rows))


@dataclass(frozen=True)
class Count:
    """How many words have no meaning yet."""

    labels: int


COUNT_UNMAPPED = Statement(Count, "SELECT count(*)::integer AS labels FROM unmapped_labels")
