"""Begin an upload that may be cut and taken up again."""

from __future__ import annotations

from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.upload import Allowance, may_open
from gridsvc.store import uploads
from gridsvc.store.uploads import NewUpload


async def open_upload(conn: Conn, new: NewUpload, allowed: Allowance, now: datetime) -> datetime:
    """Keep the beginning; return until when its bytes are waited for.

    Raises TooManyTries when the caller has too many, or too much, on its way.
    """
    already = await uploads.on_its_way(conn, new.uploaded_by, now)
    why_not = may_open(new.length, already.uploads, already.bytes, allowed)
    if why_not is not None:
        raise why_not
    expires_at = now + allowed.kept_for
    await uploads.add(conn, new, now, expires_at)
    return expires_at
