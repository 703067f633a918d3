"""Ask the database whether all that must hold does: the ledger, the chains, the signed days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, Protocol
from uuid import UUID

from gridsvc.actions.sign_history import digest_of, head_message
from gridsvc.db import Conn
from gridsvc.domain.history import Break, Entry, breaks
from gridsvc.signing import Signer
from gridsvc.store import attachment_files, camera_pictures, history
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


class Shelf(Protocol):
    """Where files lie by their digests."""

    def holds(self, digest: bytes) -> bool:
        """Whether all of a picture is there."""

    def holds_some(self, digest: bytes) -> bool:
        """Whether any of it is."""

    def digests(self) -> Iterator[bytes]:
        """What there are files of."""


async def broken_files(conn: Conn, shelf: Shelf) -> list[str]:
    """Pictures of cameras that are kept and have no file, and files that stand in no table.

    Not in a snapshot: pictures come and go meanwhile, so that whatever looks broken is asked for once more.
    """
    gone, strange = [], []
    last = b""
    while rows := await camera_pictures.FILES_AFTER.all(conn, last, _PAGE):
        missing = [row.sha256 for row in rows if not shelf.holds(row.sha256)]
        gone += [row.sha256 for row in await camera_pictures.USED_FILES.all(conn, missing)]
        last = rows[-1].sha256
    there = iter(shelf.digests())
    while page := list(islice(there, _PAGE)):
        known = {row.sha256 for row in await camera_pictures.KNOWN_FILES.all(conn, page)}
        strange += [digest for digest in page if digest not in known and shelf.holds_some(digest)]
    return [
        *(f"{digest.hex()}: the file of a picture is gone" for digest in gone),
        *(f"{digest.hex()}: a file of no picture" for digest in strange),
    ]


_NAMED: Final = {"picture": "a photograph", "sound": "a voice note", "original": "an original"}


class Holds(Protocol):
    """A store of files of any kind."""

    def holds_any(self, digest: bytes, suffixes: Sequence[str]) -> bool:
        """Whether a file of the digest is there under one of these suffixes."""

    def digests(self) -> Iterator[bytes]:
        """What there are files of."""


async def broken_attachments(
    conn: Conn, shown: Holds, originals: Holds, suffixes: Mapping[str, Sequence[str]]
) -> list[str]:
    """Files of attachments that are needed and are not in their store, and files there that stand in no table.

    Not in a snapshot: files come and go meanwhile, so that whatever looks broken is asked for once more.
    """
    gone: list[tuple[bytes, str]] = []
    last = (b"", "")
    while rows := await attachment_files.USED_AFTER.all(conn, *last, _PAGE):
        missing = [
            (row.sha256, row.kind)
            for row in rows
            if not (originals if row.kind == "original" else shown).holds_any(row.sha256, suffixes[row.kind])
        ]
        digests, kinds = [each for each, _ in missing], [kind for _, kind in missing]
        gone += [(row.sha256, row.kind) for row in await attachment_files.STILL_USED.all(conn, digests, kinds)]
        last = (rows[-1].sha256, rows[-1].kind)
    strange: list[bytes] = []
    for store, of_originals in ((shown, False), (originals, True)):
        ends = [each for kind, all_of in suffixes.items() if (kind == "original") == of_originals for each in all_of]
        there = iter(store.digests())
        while page := list(islice(there, _PAGE)):
            known = {row.sha256 for row in await attachment_files.KNOWN.all(conn, page, of_originals)}
            strange += [digest for digest in page if digest not in known and store.holds_any(digest, ends)]
    return [
        *(f"{digest.hex()}: the file of {_NAMED[kind]} is gone" for digest, kind in gone),
        *(f"{digest.hex()}: a file of no attachment" for digest in strange),
    ]


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
