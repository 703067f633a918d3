"""Enter a camera into the registry, or change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gridsvc.actions.see_cells import see_cells
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller, Role
from gridsvc.domain.camera import Camera, make_camera, what_is_new
from gridsvc.errors import CameraTaken, NotAllowed, OutsideTheGrid, Unknown, VersionConflict
from gridsvc.store import cameras, cells


async def enter_camera(conn: Conn, caller: Caller, code: str, said: Mapping[str, Any], now: datetime) -> cameras.Kept:
    """A new camera; what `said` leaves out is as by default. Raises CameraTaken where the code is in use."""
    camera, divisions = await _decide(conn, caller, code, said, None, now)
    await act_as_service(conn)
    await cameras.wait_for_code(conn, code)
    if await cameras.current(conn, [code]):
        raise CameraTaken(f"the registry has a camera {code}", given=code)
    return await _keep(conn, caller, camera, None, divisions, now)


async def change_camera(
    conn: Conn, caller: Caller, code: str, said: Mapping[str, Any], version: int, now: datetime, *, all_of_it: bool
) -> cameras.Kept:
    """Change what `said` says of a camera; with `all_of_it` what it leaves out is as by default again.

    Nothing new: nothing is written. Raises Unknown for a camera out of sight, VersionConflict where it is not at
    `version`, NotAllowed where the caller administers neither where it stood nor where it will.
    """
    kept = (await cameras.current(conn, [code], held=True)).get(code)
    if kept is None:
        raise Unknown(f"no camera {code} in the registry", given=code)
    must_administer(caller, kept.row.divisions)
    if kept.row.version != version:
        raise VersionConflict(
            f"camera {code} is at version {kept.row.version}, not {version}", current_version=kept.row.version
        )
    camera, divisions = await _decide(conn, caller, code, said, None if all_of_it else kept.camera, now)
    if not what_is_new(kept.camera, camera):
        return kept
    await act_as_service(conn)
    return await _keep(conn, caller, camera, kept, divisions, now)


async def _decide(
    conn: Conn, caller: Caller, code: str, said: Mapping[str, Any], before: Camera | None, now: datetime
) -> tuple[Camera, tuple[str, ...]]:
    city = await cells.bounds_at(conn, now)
    camera = make_camera(code, said, before, await cameras.known(conn), None if city is None else city[1])
    (owner,) = await cells.owners_of(conn, [cells.Wanted(camera.place, "")], now)
    if owner is None:
        raise OutsideTheGrid(camera.place.lon, camera.place.lat)
    must_administer(caller, owner.divisions)
    return camera, owner.divisions


def must_administer(caller: Caller, divisions: tuple[str, ...] | list[str]) -> None:
    """Raise NotAllowed for a caller who administers none of these. A program acts where its key holds."""
    held = {grant.division for grant in caller.grants if grant.role is Role.ADMIN or caller.user_id is None}
    if held.isdisjoint(divisions):
        where = divisions[-1] if divisions else "no division"
        raise NotAllowed(f"the camera stands in {where}; want the role admin there or above", wanted="admin")


async def _keep(
    conn: Conn, caller: Caller, camera: Camera, before: cameras.Kept | None, divisions: tuple[str, ...], now: datetime
) -> cameras.Kept:
    version = before.row.version + 1 if before else 1
    facts = what_is_new(before.camera if before else None, camera)
    writing = cameras.Writing(camera=camera, version=version, facts=facts, divisions=divisions)
    await cameras.keep(conn, [writing], caller.id, "", now)
    await see_cells(conn, [camera], now)
    return (await cameras.current(conn, [camera.code]))[camera.code]
