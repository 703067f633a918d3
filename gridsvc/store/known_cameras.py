"""What intake and the worker read of the table `cameras`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridsvc.db import Statement


@dataclass(frozen=True)
class KnownCamera:
    """A camera of the registry: where it stands (WGS-84), what its labels mean, and whether it counts at all."""

    code: str
    name: str
    lon: float
    lat: float
    off: bool
    label_map: Mapping[str, Any]


KNOWN = Statement(
    KnownCamera,
    """
    SELECT code, name, ST_X(place) AS lon, ST_Y(place) AS lat, state = 'off' AS off, label_map
      FROM cameras
     WHERE code = ANY ($1::text[])
    """,
)
