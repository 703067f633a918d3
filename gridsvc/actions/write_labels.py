"""Say what devices' words mean, and settle those that were waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.camera_label import Row, Said, find_label
from gridsvc.store import camera_labels
from gridsvc.store.camera_labels import LabelRow, Unmapped

_ALL = 100_000  # words that wait; each is one of a camera, and cameras say few


async def write_labels(
    conn: Conn, rows: Sequence[Row], edition: str | None, actor: str, now: datetime
) -> tuple[list[LabelRow], int]:
    """Write these rows of the map; words that have a meaning in `edition` by now wait no longer. As the service.

    Returns the rows as they are kept, and how many words were settled. Twice: the same rows, nothing settled.
    """
    kept = await camera_labels.keep(conn, rows, actor, now)
    if edition is None:
        return kept, 0
    waiting = await camera_labels.UNMAPPED.all(conn, "", "", "", "", _ALL)
    labels = await camera_labels.labels_for(conn, sorted({each.camera for each in waiting}))
    done = [each for each in waiting if find_label(labels, _said(each), edition) is not None]
    return kept, await camera_labels.settle(conn, done)


def _said(each: Unmapped) -> Said:
    return Said(
        camera=each.camera, protocol=each.protocol, kind=each.kind, zone=each.zone or None, target=each.target or None
    )
