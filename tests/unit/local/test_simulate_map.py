"""How simulated people look at the map."""

from __future__ import annotations

import random
from typing import Any

from gridsvc.local.simulate_map import tiles_wanted

TOLD: dict[str, Any] = {
    "bounds": [103.75, 36.03, 103.91, 36.09],
    "layers": {
        "divisions": {"version": "g1", "minzoom": 0, "maxzoom": 14},
        "buildings": {"version": "r7", "minzoom": 14, "maxzoom": 16},
    },
}


def test_a_view_has_the_layers_that_have_tiles_there_under_their_versions() -> None:
    seen = {path for seed in range(40) for path in tiles_wanted(TOLD, random.Random(seed))}
    assert all(path.endswith("?v=g1") for path in seen if "/divisions/" in path)
    assert all(path.endswith("?v=r7") for path in seen if "/buildings/" in path)
    zooms = {layer: {int(p.split("/")[3]) for p in seen if f"/{layer}/" in p} for layer in TOLD["layers"]}
    assert zooms == {"divisions": {9, 12, 14}, "buildings": {14, 16}}


def test_without_a_grid_there_is_nothing_to_look_at() -> None:
    assert tiles_wanted({"bounds": None, "layers": {}}, random.Random(1)) == []
