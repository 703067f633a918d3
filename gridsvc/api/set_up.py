"""What the commands refuse, as HTTP refuses it; and whom a change of the whole city is open to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final

import msgspec

from gridsvc.api.wire import Wanted
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller, Role
from gridsvc.errors import ImportRefused, NotAllowed, SetupError, SetupRefused
from gridsvc.store.cells import division_path

ADMIN: Final = frozenset({Role.ADMIN})

_MOST_DEFECTS: Final = 200

_TOLD: Final = ("reason", "name", "given", "n")
"""What a page says a refusal with, in its own language: a reason that is stable, and what it is about."""


class FileIn(Wanted):
    """A file with its name; `content` in base64."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    content: bytes


@contextmanager
def refusing() -> Iterator[None]:
    """Stories of the commands say what cannot be done by SetupError: the caller hears it as a refusal of his own."""
    try:
        yield
    except ImportRefused as refused:
        defects = [{"code": each.code, "message": each.message} for each in refused.defects[:_MOST_DEFECTS]]
        facts = {name: each for name, each in refused.facts.items() if name in _TOLD}
        facts = {"reason": "has_defects", "n": len(refused.defects), **facts}
        raise SetupRefused(refused.message, defects=defects, **facts) from refused
    except SetupError as refused:
        facts = {name: each for name, each in refused.facts.items() if name in _TOLD}
        raise SetupRefused(refused.message, defects=[], **facts) from refused


async def whole_city(conn: Conn, caller: Caller, what: str, now: datetime) -> None:
    """What holds in the whole city its administrator alone changes; what follows works as the service."""
    mine = [grant for grant in caller.grants if grant.role is Role.ADMIN and not (grant.department or grant.duty_line)]
    paths = [await division_path(conn, grant.division, now) for grant in mine]
    if not any(path is not None and len(path) == 1 for path in paths):
        raise NotAllowed(f"{what} hold in the whole city; want an administrator of the city", wanted="admin")
    await act_as_service(conn)
