"""Import a city's own reasons from a file: whole, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Conn
from gridsvc.domain.reason_file import read_reasons
from gridsvc.errors import Defect, ImportRefused
from gridsvc.store import reasons
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True)
class ImportedReasons:
    """How many rows there were, and how many of them changed something."""

    rows: int
    changed: int


async def import_reasons(conn: Conn, file: str, content: bytes) -> ImportedReasons:
    """Add the reasons of the file, and switch on or off those that are there; twice changes nothing.

    Raises ImportRefused with every fault where a row is at fault.
    """
    book = await rulebook(conn)
    read = read_reasons(file, content, book.reasons)
    if read.faults:
        raise ImportRefused(
            f"nothing was imported: {len(read.faults)} fault{'s' if len(read.faults) > 1 else ''}; mend the rows",
            [Defect("bad_row", str(fault), row=fault.row, field=fault.field) for fault in read.faults],
        )
    return ImportedReasons(len(read.reasons), await reasons.keep(conn, read.reasons))
