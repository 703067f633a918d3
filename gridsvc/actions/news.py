"""What every announcement about a case says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gridsvc.ids import new_id
from gridsvc.store.cases import CaseRow


def news_of(case: CaseRow, actor: str, now: datetime) -> dict[str, Any]:
    """The common fields of an announcement about `case` as it stands after the move."""
    return {
        "event_id": new_id(),
        "at": now,
        "case_id": case.id,
        "version": case.version,
        "state": str(case.state),
        "duty_line": case.duty_line,
        "severity": case.severity,
        "divisions": tuple(case.divisions),
        "actor": actor,
    }
