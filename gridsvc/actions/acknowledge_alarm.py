"""A person has seen an alarm: it rings no more, and every watcher is told who it was."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.errors import Unknown
from gridsvc.store import alarms
from gridsvc.store.alarms import AlarmRow


async def acknowledge_alarm(conn: Conn, alarm_id: UUID, user_id: UUID, now: datetime) -> AlarmRow:
    """Acknowledge it unless somebody has; return it with whoever was first. Raises Unknown outside the scope."""
    await alarms.ACKNOWLEDGE.run(conn, alarm_id, user_id, now)
    alarm = await alarms.READ.one(conn, alarm_id)
    if alarm is None:
        raise Unknown(f"no alarm {alarm_id}", alarm=str(alarm_id))
    return alarm
