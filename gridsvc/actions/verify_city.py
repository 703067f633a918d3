"""Ask the database whether all that must hold does: the ledger, the chains, the signed days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.sign_history import digest_of, head_message
from gridsvc.db import Conn
from gridsvc.domain.history import Break, Entry, breaks
from gridsvc.signing import Signer
from gridsvc.store import history
from gridsvc.store.ledger import INVARIANTS
from gridsvc.store.rulebook import rulebook

_PAGE: Final = 2_000  # cases per round trip: some megabytes of history


async def broken_invariants(conn: Conn) -> dict[str, list[str]]:
    """Every rule of the ledger that does not hold, with what breaks it (at most 20 each); empty: all hold."""
    found = {}
    for rule in INVARIANTS:
        breaches = await rule.breaches.all(conn)
        if breaches:
            found[rule.name] = [breach.what for breach in breaches]
    return found


async def broken_chains(conn: Conn, progress: Callable[[int], object] = lambda done: None) -> list[Break]:
    """Every place where the history of a case was edited, shortened or reordered.

    Reads the whole history, page by page; `progress` hears how many cases each page had.
    """
    found: list[Break] = []
    last = UUID(int=0)
    while page := await history.CASES_AFTER.all(conn, last, _PAGE):
        rows: dict[UUID, list[Entry]] = defaultdict(list)
        for entry in await history.OF_CASES.all(conn, [case.case_id for case in page]):
            rows[entry.case_id].append(entry)
        for case in page:
            if rows[case.case_id]:
                found += breaks(rows[case.case_id], case.version, case.head)
            else:
                found.append(Break(case.case_id, 0, "has no history"))
        last = page[-1].case_id
        progress(len(page))
    return found


async def broken_days(conn: Conn, signer: Signer) -> list[tuple[datetime, str]]:
    """Signed days that no longer give the hash that was signed, or whose signature is not ours."""
    zone = (await rulebook(conn)).zone
    found = []
    for head in await history.HEADS.all(conn):
        rows, digest = await digest_of(conn, head.day, zone)
        if not signer.holds(head_message(head.day, head.rows, head.digest), head.signature):
            found.append((head.signed_at, f"{head.day}: the signature is not this instance's"))
        elif (rows, digest) != (head.rows, head.digest):
            found.append((head.signed_at, f"{head.day}: signed over {head.rows} rows, has {rows} now, or others"))
    return found
