"""A platform says which cameras it has: proposals for whoever keeps the registry, and which of them are offline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from events.intake.viid import Ape
from gridsvc.actions.watch_cameras import hear_cameras
from gridsvc.db import Conn
from gridsvc.store import viid_accounts
from gridsvc.store.viid_accounts import Account


async def report_apes(conn: Conn, account: Account, apes: Sequence[Ape], now: datetime) -> None:
    """Keep what `account` says of these cameras; of two of one code the later counts.

    Nothing of it changes the registry: no datum is named in it, and somebody answers for what is entered. A camera of
    the account's that is reported online is heard; for one that is reported offline keep-alives do not count any more,
    until it is reported online again.
    """
    facts = {each.code: msgspec.json.encode(each.facts).decode() for each in apes}
    await viid_accounts.report(conn, account.id, facts, now)
    online = {each.code: each.online for each in apes if each.online is not None and each.code in account.cameras}
    await viid_accounts.note_away(conn, account.id, {code: not there for code, there in online.items()})
    await hear_cameras(conn, [code for code, there in online.items() if there], now)
