"""What intake and the worker read of the table `cameras`."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Statement


@dataclass(frozen=True)
class KnownCamera:
    """A camera of the registry: where it stands (WGS-84), how it speaks, and whether it counts at all."""

    code: str
    name: str
    lon: float
    lat: float
    protocol: str
    off: bool


KNOWN = Statement(
    KnownCamera,
    """
    SELECT code, name, ST_X(place) AS lon, ST_Y(place) AS lat, protocol, state = 'off' AS off
      FROM cameras
     WHERE code = ANY ($1::text[])
    """,
)
