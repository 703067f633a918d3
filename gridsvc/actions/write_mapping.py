"""A mapping of somebody's JSON comes into force: drafted, changed while it is a draft, published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from events.intake.mapped import BadMapping, read_mapping
from gridsvc.db import Conn
from gridsvc.errors import MappingRefused, Unknown
from gridsvc.store import camera_mappings
from gridsvc.store.camera_mappings import MappingRow

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


async def draft_mapping(conn: Conn, name: str, document: Mapping[str, Any], by: str, now: datetime) -> MappingRow:
    """Keep a new draft of `name`; its version is the next one. In the caller's transaction.

    Raises MappingRefused for a name or a document that cannot be, and where `name` has a draft already.
    """
    if not _NAME.fullmatch(name):
        raise MappingRefused(
            f"{name[:64]!r} is no name of a mapping; want small letters, digits, dots and hyphens, at most 64",
            reason="bad_name", given=name[:64],
        )  # fmt: skip
    _check(document)
    await camera_mappings.lock(conn, name)
    draft = await camera_mappings.DRAFT.one(conn, name)
    if draft is not None:
        raise MappingRefused(
            f"{name} has a draft already, version {draft.version}; change or publish that one",
            reason="has_a_draft", version=draft.version,
        )  # fmt: skip
    row = await camera_mappings.ADD.one(conn, name, dict(document), now, by)
    assert row is not None  # noqa: S101 - an INSERT of one row
    return row


async def change_mapping(
    conn: Conn, name: str, version: int, document: Mapping[str, Any], by: str, now: datetime
) -> MappingRow:
    """Say a draft anew. In the caller's transaction.

    Raises MappingRefused for a document that cannot be, and for a version that was published: that never changes.
    """
    _check(document)
    await camera_mappings.lock(conn, name)
    await _draft(conn, name, version)
    row = await camera_mappings.CHANGE.one(conn, name, version, dict(document), now, by)
    assert row is not None  # noqa: S101 - it is locked, and a draft
    return row


async def publish_mapping(conn: Conn, name: str, version: int, by: str, now: datetime) -> MappingRow:
    """Put a draft in force: what comes by tokens of `name` is read with it, within seconds in every process.

    Raises MappingRefused for a version that was published before, Unknown for none.
    """
    await camera_mappings.lock(conn, name)
    await _draft(conn, name, version)
    row = await camera_mappings.PUBLISH.one(conn, name, version, now, by)
    assert row is not None  # noqa: S101 - it is locked, and a draft
    return row


async def _draft(conn: Conn, name: str, version: int) -> None:
    row = await camera_mappings.ONE.one(conn, name, version)
    if row is None:
        raise Unknown(f"no version {version} of a mapping {name}", given=f"{name} {version}")
    if row.published_at is not None:
        raise MappingRefused(
            f"version {version} of {name} was published and never changes; want a new draft",
            reason="published", version=version,
        )  # fmt: skip


def _check(document: Mapping[str, Any]) -> None:
    try:
        read_mapping(document)
    except BadMapping as bad:
        raise MappingRefused(str(bad), reason="bad_mapping") from bad
