"""GET /api/v1/me/parts: what my departments were asked to do of cases that others lead (协办)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.domain.access import Role, scope_keys
from gridsvc.store.co_handlings import TASKS, PartTask

_AT_MOST: Final = 500


class PartTaskOut(Told):
    """A part that waits for my department. `version` is the case's; the moves `co_hand_in` and `co_decline` want it."""

    id: UUID
    department: str
    case_id: UUID
    number: str | None
    version: int
    state: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    lead_department: str | None
    lead_officer: UUID | None
    wanted: str
    asked_at: datetime
    due_at: datetime
    overdue: bool


async def _mine(request: web.Request) -> web.Response:
    caller = caller_of(request)
    grants = tuple(g for g in caller.grants if g.role is Role.HANDLER and g.department is not None)
    # Whatever else the caller may see, a part is his where he handles for its department.
    keys = [key for key in scope_keys(replace(caller, grants=grants)) if key != caller.id]
    async with scoped(request) as (conn, now):
        tasks = await TASKS.all(conn, keys, sorted({str(g.department) for g in grants}), now, _AT_MOST)
    return reply(Page[PartTaskOut](items=[_out(task) for task in tasks]))


def _out(task: PartTask) -> PartTaskOut:
    return PartTaskOut(
        id=task.id, department=task.department, case_id=task.case_id, number=task.number, version=task.version,
        state=task.state, category=f"{task.edition}:{task.category}", category_name=task.category_name,
        category_name_en=task.category_name_en, description=task.description, address=task.address, lon=task.lon,
        lat=task.lat, lead_department=task.lead_department, lead_officer=task.lead_officer, wanted=task.wanted,
        asked_at=task.asked_at, due_at=task.due_at, overdue=task.overdue,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/parts", handler=_mine, roles=frozenset({Role.HANDLER}),
        answers=Page[PartTaskOut],
        summary="What my departments were asked to do of cases that others lead, the most pressing first.",
    ),
)  # fmt: skip
