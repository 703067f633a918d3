"""Find which cells cameras see: when they are written, and when another grid set comes into force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import shapely

from geo.view import Ground
from gridsvc.db import Conn
from gridsvc.domain.camera import Camera, cells_seen, parts_of
from gridsvc.store import cameras, cells, grids


async def see_cells(conn: Conn, some: Sequence[Camera], now: datetime) -> None:
    """Replace what these cameras see by the grid set in force, in the caller's transaction. As the service.

    Nothing where none is in force: it is found when one is. Twice: the same rows.
    """
    grid_set_id = await grids.in_force(conn, now)
    if grid_set_id is None or not some:
        return
    boxes = shapely.envelope([shape for camera in some for shape in parts_of(camera).values()]).tolist()
    near = await cameras.CELLS_NEAR.all(conn, grid_set_id, boxes)
    ground = Ground([cell.code for cell in near], [cell.outline for cell in near])
    owners = await cells.owners_of(conn, [cells.Wanted(camera.place, "") for camera in some], now)
    await cameras.keep_cells(
        conn,
        grid_set_id,
        {camera.code: cells_seen(camera, ground) for camera in some},
        {camera.code: owner.divisions if owner else None for camera, owner in zip(some, owners, strict=True)},
    )


async def see_cells_again(conn: Conn, now: datetime, batch: int) -> int:
    """The same for up to `batch` cameras whose cells are those of another grid set; how many there were."""
    grid_set_id = await grids.in_force(conn, now)
    if grid_set_id is None:
        return 0
    waiting = await cameras.whole(conn, await cameras.TO_SEE.all(conn, grid_set_id, batch))
    await see_cells(conn, [each.camera for each in waiting.values()], now)
    return len(waiting)
