"""Let a site publish over MQTT for its cameras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridsvc.db import Conn
from gridsvc.errors import Refused, Unknown
from gridsvc.store import cameras, mqtt_sites
from gridsvc.store.mqtt_sites import Site

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)


async def give_site(
    conn: Conn, name: str, codes: Sequence[str], label: str, password_hash: str, actor: str, now: datetime
) -> None:
    """Keep a site of these cameras. One that was revoked may begin anew.

    Raises Refused where the name is none or taken, Unknown where a camera is not in the registry.
    """
    if not _NAME.fullmatch(name):
        wanted = "1 to 40 of a-z 0-9 _ -, not _ or - first"
        raise Refused(f"the site is called {name[:60]!r}; want {wanted}", given=name[:60], wanted=wanted)
    missing = sorted(set(codes) - set(await cameras.current(conn, codes)))
    if missing or not codes:
        given = missing[0] if missing else "none"
        raise Unknown(f"no camera {given} in the registry; a site speaks for one at least", given=given)
    site = Site(name, sorted(set(codes)))
    if not await mqtt_sites.add(conn, site, password_hash, label, actor, now):
        raise Refused(f"there is a site {name} already; rotate its password, or revoke it first", given=name)
