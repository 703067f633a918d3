"""GET /api/v1/departments: who handles what officers do not (处置部门)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.store.listings import DEPARTMENTS


class DepartmentOut(Told):
    """One department; its code is what an assignment names."""

    code: str
    name: str
    name_en: str
    duty_line: str


async def _departments(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        found = await DEPARTMENTS.all(conn)
    return reply(Page[DepartmentOut](items=[DepartmentOut(**vars(row)) for row in found]))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/departments", handler=_departments, roles=SIGNED_IN, scope="grid:read",
        answers=Page[DepartmentOut],
        summary="Departments that cases go to, with their duty lines.",
    ),
)  # fmt: skip
