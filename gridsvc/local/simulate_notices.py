"""How simulated supervisors read what they are told: digests opened, everything acknowledged, quiet hours set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

DIGEST: Final = "digest"
_REST: Final = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What somebody does with a page of his notices."""

    acknowledge: tuple[int, ...]
    open: tuple[str, ...]  # digests whose items he looks at
    seen: Counter[str]


def read(page: Sequence[dict[str, Any]]) -> Read:
    """Everything is acknowledged but what still waits for the end of his quiet hours; digests are opened first."""
    told = [notice for notice in page if notice["waiting_until"] is None]
    digests = [notice for notice in told if notice["kind"] == DIGEST]
    seen = Counter({"alone": len(told) - len(digests), "digests": len(digests)})
    seen["in digests"] = sum(notice["body"]["count"] for notice in digests)
    return Read(
        acknowledge=tuple(notice["seq"] for notice in told),
        open=tuple(notice["id"] for notice in digests),
        seen=+seen,
    )


def rest(local: datetime) -> dict[str, str]:
    """Quiet hours that have just begun, and are over soon."""
    return {"from": f"{local - timedelta(minutes=1):%H:%M}", "until": f"{local + _REST:%H:%M}"}
