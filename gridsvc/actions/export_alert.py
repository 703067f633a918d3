"""An emergency goes out as an alert for other systems (CAP 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn
from gridsvc.domain.calling import EMERGENCY
from gridsvc.domain.cap import Emergency, Issuer, Told, alert_of
from gridsvc.errors import NotAnEmergency, Unknown
from gridsvc.store import alerts
from gridsvc.store.alerts import AlertRow


async def export_alert(
    conn: Conn, keys: Sequence[str], case_id: UUID, sender: str, restriction: str | None, now: datetime
) -> bytes:
    """The newest message about the case, in XML. Nothing is kept: the history says which messages there were.

    `sender` empty: this instance; `restriction` None: for everybody. Raises Unknown for a case outside the
    caller's scope, NotAnEmergency for one of another severity.
    """
    found = await alerts.of_case(conn, keys, case_id, now)
    if found is None:
        raise Unknown(f"no case {case_id}", case=str(case_id))
    if found.severity != EMERGENCY:
        raise NotAnEmergency(
            f"the case is of severity {found.severity}; only an emergency is exported as an alert",
            given=found.severity, wanted=EMERGENCY,
        )  # fmt: skip
    history = [Told(row.version, row.move, row.state, row.at) for row in await alerts.versions(conn, case_id)]
    issuer = Issuer(sender=sender or f"gridsvc-{found.instance_id}", restriction=restriction)
    return alert_of(_emergency(found, history), issuer, now.astimezone(ZoneInfo(found.zone)))


def _emergency(row: AlertRow, history: Sequence[Told]) -> Emergency:
    return Emergency(
        case_id=row.case_id,
        number=row.number,
        category=f"{row.edition}:{row.category}",
        name=row.name,
        name_en=row.name_en,
        kind=row.kind,
        by_a_department=row.handled_by == "department",
        from_an_officer=row.source == "officer",
        state=row.state,
        due_at=row.due_at,
        divisions=list(zip(row.divisions, row.names, strict=True)),
        cell=row.cell_code,
        place=None if row.lon is None or row.lat is None else (row.lon, row.lat),
        outline=_rings(row.outline),
        history=history,
        exercise=row.exercise,
    )


def _rings(outline: dict[str, Any] | None) -> list[list[tuple[float, float]]]:
    """The outer ring of each part of a GeoJSON MultiPolygon; the standard has no holes."""
    if outline is None:
        return []
    return [[(lon, lat) for lon, lat in part[0]] for part in outline["coordinates"]]
