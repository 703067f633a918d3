"""The chain of a case's history: each row hashes the one before it, so no edit goes unseen.

The hash is SHA-256 over the hash before and a canonical JSON of the row (keys sorted, no spaces,
UTF-8, times in UTC microseconds), so that it can be recomputed from what the database gives back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

ROOT: Final = bytes(32)
"""What the first row of every case hashes as the row before it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of a case's history.

    `facts` hold ids and values, in JSON's own types; numbers stay below 10^15 and are never -0.0,
    because jsonb gives others back in another spelling.
    """

    case_id: UUID
    version: int
    move: str
    from_state: str | None
    to_state: str
    actor: str
    at: datetime
    facts: Mapping[str, object]
    before: bytes
    hash: bytes = b""


def chained(entry: Entry) -> Entry:
    """`entry` with its hash."""
    return Entry(**{**vars(entry), "hash": _digest(entry)})


_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(entry: Entry) -> bytes:
    row = [
        str(entry.case_id),
        entry.version,
        entry.move,
        entry.from_state,
        entry.to_state,
        entry.actor,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.facts,
    ]
    return hashlib.sha256(entry.before + _CANONICAL.encode(row).encode()).digest()


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold, and how."""

    case_id: UUID
    version: int
    what: str


def breaks(rows: Iterable[Entry], last_version: int, head: bytes) -> list[Break]:
    """Everything wrong with one case's rows, in their stored order; empty when the chain holds.

    `last_version` and `head` are what the case says of itself: rows missing at the end are found by them.
    """
    found: list[Break] = []
    before, version, case_id = ROOT, 0, None
    for row in rows:
        version, case_id = version + 1, row.case_id
        if row.version != version:
            found.append(Break(row.case_id, row.version, f"version {version} is missing"))
            version = row.version
        if row.before != before:
            found.append(Break(row.case_id, row.version, "does not follow the row before it"))
        if row.hash != _digest(row):
            found.append(Break(row.case_id, row.version, "was edited after it was written"))
        before = row.hash
    if case_id is not None and version != last_version:
        found.append(Break(case_id, version, f"the case is at version {last_version}, its history ends at {version}"))
    elif case_id is not None and before != head:
        found.append(Break(case_id, version, "the case names another hash as its last"))
    return found


def fold(day_heads: Iterable[tuple[UUID, bytes]]) -> bytes:
    """One hash over the last hash of every case of a day, in the order of their ids."""
    total = hashlib.sha256()
    for case_id, head in sorted(day_heads):
        total.update(case_id.bytes + head)
    return total.digest()
