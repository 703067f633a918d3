"""GET /api/v1/departments: who handles what officers do not (处置部门); GET /api/v1/duty-lines: the lines (条线)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.store.listings import DEPARTMENTS, DUTY_LINES


class DepartmentOut(Told):
    """One department; its code is what an assignment names."""

    code: str
    name: str
    name_en: str
    duty_line: str


class DutyLineOut(Told):
    """One line of duty; `profile` says who handles and who checks (docs/profiles.md)."""

    code: str
    name: str
    name_en: str
    profile: str


async def _departments(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        found = await DEPARTMENTS.all(conn)
    return reply(Page[DepartmentOut](items=[DepartmentOut(**vars(row)) for row in found]))


async def _duty_lines(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        found = await DUTY_LINES.all(conn)
    return reply(Page[DutyLineOut](items=[DutyLineOut(**vars(row)) for row in found]))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/departments", handler=_departments, roles=SIGNED_IN, scope="grid:read",
        answers=Page[DepartmentOut],
        summary="Departments that cases go to, with their duty lines.",
    ),
    Route(
        method="GET", path="/api/v1/duty-lines", handler=_duty_lines, roles=SIGNED_IN, scope="grid:read",
        answers=Page[DutyLineOut], summary="The lines of duty of the city.",
    ),
)  # fmt: skip
