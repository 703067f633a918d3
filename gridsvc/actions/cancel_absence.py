"""An absence holds no more: it was a mistake, or the officer is back early (销假)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.errors import AbsenceOver
from gridsvc.store import absences
from gridsvc.store.absences import AbsenceRow


async def cancel_absence(conn: Conn, row: AbsenceRow, by: str, now: datetime) -> AbsenceRow:
    """Cancel an absence that its reader has locked; he goes on duty by his own act.

    Raises AbsenceOver for one that is over or was cancelled before.
    """
    if row.cancelled_at is not None or row.until_at <= now:
        what = "was cancelled before" if row.cancelled_at is not None else f"ended at {row.until_at.isoformat()}"
        raise AbsenceOver(f"the absence {what}; there is nothing to cancel", absence=str(row.id))
    await absences.cancel(conn, row.id, by, now)
    return replace(row, cancelled_by=by, cancelled_at=now)
