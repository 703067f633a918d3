"""Group neighbouring cells into beats (责任网格): what one officer can answer for."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import shapely

from geo.coverage import adjacent


def group_cells(shapes: Sequence[shapely.Geometry], most: int) -> list[list[int]]:
    """Group cells so that each group hangs together and has about `most` cells; indexes, in the order given.

    A group begins with the first cell that is still free and takes, again and again, the free neighbour
    nearest to where it began. Groups of less than half of `most` then join the smallest neighbouring
    group, so a group may have half as many again. Cells that touch no other make groups of their own.
    Raises ValueError where `most` is less than one.
    """
    if most < 1:
        raise ValueError(f"given {most} cells for a beat; want 1 or more")
    beside: list[set[int]] = [set() for _ in shapes]
    for i, j in adjacent(shapes):
        beside[i].add(j)
        beside[j].add(i)
    middles = shapely.get_coordinates(shapely.point_on_surface(np.array(shapes, dtype=object)))
    groups: list[list[int]] = []
    group_of: dict[int, int] = {}
    for first in range(len(shapes)):
        if first not in group_of:
            group = _grown(first, most, beside, middles, group_of)
            group_of.update(dict.fromkeys(group, len(groups)))
            groups.append(group)
    return _without_crumbs(groups, group_of, beside, most)


def _grown(
    first: int, most: int, beside: list[set[int]], middles: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    taken: dict[int, int],
) -> list[int]:  # fmt: skip
    group: list[int] = []
    seen = {first}
    edge = [(0.0, first)]
    while edge and len(group) < most:
        _, cell = heapq.heappop(edge)
        group.append(cell)
        for other in beside[cell]:
            if other not in seen and other not in taken:
                seen.add(other)
                heapq.heappush(edge, (float(np.hypot(*(middles[other] - middles[first]))), other))
    return group


def _without_crumbs(
    groups: list[list[int]], group_of: dict[int, int], beside: list[set[int]], most: int
) -> list[list[int]]:
    for number in sorted(range(len(groups)), key=lambda n: (len(groups[n]), n)):
        group = groups[number]
        others = {group_of[j] for i in group for j in beside[i]} - {number}
        if others and len(group) * 2 < most:
            into = min(others, key=lambda n: (len(groups[n]), n))
            groups[into] += group
            group_of.update(dict.fromkeys(group, into))
            groups[number] = []
    return [sorted(group) for group in groups if group]
