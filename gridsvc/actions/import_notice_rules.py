"""Import the city's rules of ringing from a file: whole, or not at all."""

from __future__ import annotations

from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.notice_file import read_notice_rules
from gridsvc.errors import Defect, ImportRefused
from gridsvc.store import notice_rules


async def import_notice_rules(conn: Conn, file: str, content: bytes, now: datetime) -> int:
    """Put the rules of the file in the place of those that hold; how many quiet hours by role it has.

    They hold for the next batch that is told; what waits already waits as it did. Raises ImportRefused with
    every fault.
    """
    rules, defaults, faults = read_notice_rules(file, content, await notice_rules.divisions(conn, now))
    if faults:
        raise ImportRefused(
            f"nothing was imported: {len(faults)} fault{'s' if len(faults) > 1 else ''}; mend the file",
            [Defect("bad_row", str(fault), row=None, field=fault.field) for fault in faults],
        )
    await notice_rules.replace(conn, rules, defaults)
    return len(defaults)
