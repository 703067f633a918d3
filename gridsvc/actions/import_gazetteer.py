"""Import landmarks and house numbers from a file; it replaces what the same source brought before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.gazetteer_file import Points, read_points
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import cells, gazetteer


@dataclass(frozen=True, kw_only=True)
class ImportedPoints:
    """What an import did: how many points the source has now, and how many it had."""

    read: Points
    before: int


async def import_gazetteer(
    conn: Conn, file: str, content: bytes, frame: str, source: str, *, partial: bool, now: datetime
) -> ImportedPoints:
    """Let the good rows of `content` be all that `source` knows.

    Raises ImportRefused with every fault when a row is at fault, unless `partial`, and SetupError where
    no grid set is in force: nothing says then whether a place is in the city.
    """
    city = await cells.bounds_at(conn, now)
    if city is None:
        raise SetupError("no grid set is in force, so no place is known to be in the city; want: gridsvc grid publish")
    read = read_points(file, content, frame, city[1])
    if read.faults and (not partial or not read.points):
        raise ImportRefused(
            f"nothing was imported: {len(read.faults)} fault{'s' if len(read.faults) > 1 else ''}; "
            "mend the rows, or leave them out with --partial",
            [Defect("bad_row", str(fault), row=fault.row, field=fault.field) for fault in read.faults],
        )
    return ImportedPoints(read=read, before=await gazetteer.replace_points(conn, source, read.points))
