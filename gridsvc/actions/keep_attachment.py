"""Keep uploaded photographs and voice notes, until a report or a move makes them evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gridsvc.db import Conn
from gridsvc.errors import TooManyTries
from gridsvc.store import attachments
from gridsvc.store.attachments import NewAttachment

MOST_LOOSE: Final = 500  # uploads of one caller in a day that no report or move took up: ten days of honest mishaps
_DAY: Final = timedelta(days=1)


async def keep_attachments(conn: Conn, new: Sequence[NewAttachment], uploaded_by: str, now: datetime) -> None:
    """Keep `new` as uploads of one caller; their bytes lie in the file store already.

    Raises TooManyTries when the caller fills the disk with uploads that belong to nothing.
    """
    if await attachments.loose(conn, uploaded_by, now - _DAY) + len(new) > MOST_LOOSE:
        raise TooManyTries(
            f"{MOST_LOOSE} uploads of the last day belong to no report yet; use them first", retry_after_s=3600
        )
    await attachments.add(conn, new, uploaded_by, now)
