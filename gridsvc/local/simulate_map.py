"""How simulated people of the desk look at the map: the tiles that a screen would ask for around a place. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from geo.tile import tile_of

LOOK_EVERY: Final = 15
"""After so many looks at the city somebody opens the map."""

_ZOOMS: Final = (9, 12, 14, 16)
_AROUND: Final = ((0, 0), (1, 0), (0, 1))  # what lies beside the middle of the screen


def tiles_wanted(told: Mapping[str, Any], rng: random.Random) -> list[str]:
    """Paths of the tiles of one view: every layer that has tiles of its own there, somewhere in the city.

    `told` is what GET /api/v1/map said; nothing is wanted while no grid set is in force.
    """
    if told["bounds"] is None:
        return []
    west, south, east, north = told["bounds"]
    z = rng.choice(_ZOOMS)
    middle = tile_of(rng.uniform(west, east), rng.uniform(south, north), z)
    return [
        f"/tiles/{name}/{z}/{middle.x + x}/{middle.y + y}.mvt?v={layer['version']}"
        for name, layer in sorted(told["layers"].items())
        if layer["minzoom"] <= z <= layer["maxzoom"]
        for x, y in _AROUND
    ]
