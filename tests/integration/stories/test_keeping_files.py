"""A month of files at accelerated time: what belongs to nothing goes, evidence stays, and all is on record."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gridsvc.actions.verify_city import broken_attachments, broken_invariants
from gridsvc.commands.verify import SUFFIXES_OF
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Move
from gridsvc.files import ORIGINALS, SEALED, THUMB
from gridsvc.ids import new_id
from gridsvc.settings import FileSettings, read_settings
from gridsvc.shelves import files_of
from gridsvc.store import attachment_files, attachments
from gridsvc.store.attachments import NewAttachment
from tests.conftest import CityClock
from tests.integration.small_city import report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import holder
from workers.attachments import compare_round, sweep_attachments_round

RULES = "UPDATE attachment_rules SET loose_days = 3, picture_days = 10, sound_days = 6, original_days = 4"


@pytest.fixture
def where(tmp_path: Path) -> FileSettings:
    return read_settings({"GRIDSVC_FILES": str(tmp_path)}).files


async def kept(
    town: Town, where: FileSettings, by: Caller, words: bytes, *, kind: str = "picture", look: int = 1
) -> UUID:
    """An upload of `by`'s, its bytes in the store; a picture with its original."""
    store, digest = files_of(where), hashlib.sha256(words).digest()
    original = hashlib.sha256(b"original " + words).digest() if kind == "picture" else digest
    async with transaction(town.pool, SERVICE) as (conn, now):
        files = [(digest, kind, len(words)), *([(original, "original", 9)] if kind == "picture" else [])]
        await attachment_files.add(conn, files, now)
        if kind == "picture":
            store.keep(words, (THUMB, b"t"))
            files_of(where, ORIGINALS).put(original, SEALED, b"sealed")
        else:
            store.put(digest, ".wav", words)
        new = NewAttachment(
            id=new_id(), sha256=digest, original=original, size_bytes=len(words), kind=kind,
            media_type="image/jpeg" if kind == "picture" else "audio/wav", look=look if kind == "picture" else None,
            original_kept=kind == "picture",
        )  # fmt: skip
        await attachments.add(conn, [new], by.id, now)
    return new.id


def there(where: FileSettings) -> set[bytes]:
    """The words of every file in the store."""
    return {path.read_bytes() for path in where.directory.glob("??/??/*") if not path.name.endswith(THUMB)}


async def removed(town: Town) -> dict[str, list[tuple[str, str]]]:
    rows = await town.rows(
        "SELECT attachment_id::text AS id, kind, why FROM attachment_removals ORDER BY removed_at, kind"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append((row["kind"], row["why"]))
    return found


async def verified(town: Town, where: FileSettings) -> list[str]:
    """What the command `verify` finds of files."""
    async with transaction(town.pool, SERVICE) as (conn, _):
        return await broken_attachments(conn, files_of(where), files_of(where, ORIGINALS), SUFFIXES_OF)


async def test_files_that_are_gone_or_are_of_nothing_are_named(town: Town, where: FileSettings) -> None:
    await kept(town, where, town.city.officers[0], b"gone")
    await kept(town, where, town.city.officers[0], b"spoken", kind="sound")
    assert await verified(town, where) == []
    digest, original = hashlib.sha256(b"gone").digest(), hashlib.sha256(b"original gone").digest()
    files_of(where).remove(digest, (".jpg",))
    files_of(where, ORIGINALS).remove(original, (SEALED,))
    stranger = files_of(where).keep(b"stranger")
    assert sorted(await verified(town, where)) == sorted([
        f"{digest.hex()}: the file of a photograph is gone", f"{original.hex()}: the file of an original is gone",
        f"{stranger.hex()}: a file of no attachment",
    ])  # fmt: skip


async def test_a_month_of_keeping(town: Town, city_clock: CityClock, where: FileSettings) -> None:
    async with transaction(town.pool, SERVICE) as (conn, began):
        await conn.execute(RULES)
    ann, known = town.city.officers[0], await code(town)
    loose = await kept(town, where, ann, b"loose")
    twin = await kept(town, where, ann, b"open", look=5)  # the same picture as that of the open case, of nothing
    opened = await kept(town, where, ann, b"open", look=5)
    spoken = await kept(town, where, ann, b"spoken", kind="sound")
    done = await kept(town, where, ann, b"done", look=9)
    open_case = (await town.file(report(ann, known, evidence=(opened,))))[0].case
    case = await town.route((await town.file(report(ann, known, evidence=(spoken,))))[0].case.id)
    case = await town.move(holder(town, case), case, Move.ACCEPT)
    owner = holder(town, case)
    if owner.id != ann.id:
        done = await kept(town, where, owner, b"done", look=9)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(done,))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    days: dict[int, set[bytes]] = {}
    for day in range(31):
        await sweep_attachments_round(town.pool, where)
        await city_clock.forward(timedelta(hours=2))  # a file of nothing stays an hour: an upload may be on its way
        await sweep_attachments_round(town.pool, where)
        days[day] = there(where)
        assert await verified(town, where) == []
        async with transaction(town.pool, SERVICE) as (conn, now):
            broken = await broken_invariants(conn)
            assert not {"attachments_have_files", "attachments_go_in_time", "nothing_is_removed_early"} & broken.keys()
            assert now < began + timedelta(days=40)
        await city_clock.forward(timedelta(hours=22))
    assert days[1] >= {b"loose", b"open", b"spoken", b"done"}
    assert b"loose" not in days[4]
    assert days[5] >= {b"open", b"spoken", b"done"}
    assert b"spoken" not in days[8]
    assert b"done" in days[8]
    assert b"done" not in days[12]
    assert days[30] == {b"open"}  # its case is open; the loose twin of the same content went and took nothing along
    gone = await removed(town)
    assert gone[str(loose)] == [("original", "loose"), ("picture", "loose")]
    assert gone[str(twin)] == [("original", "loose"), ("picture", "loose")]
    assert gone[str(spoken)] == [("sound", "case_over")]
    assert gone[str(done)] == [("original", "case_over"), ("picture", "case_over")]
    assert str(opened) not in gone
    [still] = await town.rows("SELECT removed_at, purpose FROM attachments WHERE id = $1", done)
    assert still["removed_at"] is not None  # what is known of it stays with its case
    assert await town.rows("SELECT FROM attachments WHERE id = $1", loose) == []
    assert open_case.id is not None
    originals = {path.name for path in (where.directory / ORIGINALS).glob("??/??/*")}
    assert originals == {hashlib.sha256(b"original open").hexdigest() + SEALED}


async def test_a_photograph_used_twice_is_found_in_another_case_and_not_within_one_report(
    town: Town, where: FileSettings
) -> None:
    ann, known = town.city.officers[0], await code(town)
    look = 0b1011 << 40
    first, again, alike, other = [
        await kept(town, where, ann, words, look=seen)
        for words, seen in ((b"a", look), (b"b", look), (b"c", look ^ 0b111), (b"d", look ^ 0b1111))
    ]
    await town.file(report(ann, known, evidence=(first, again)))  # the same view twice in one report says nothing
    assert await compare_round(town.pool) == 2
    assert await town.rows("SELECT FROM attachment_twins") == []
    await town.file(report(ann, known, evidence=(alike,)), report(ann, known, evidence=(other,)))
    assert await compare_round(town.pool) == 2
    assert await compare_round(town.pool) == 0
    found = await town.rows("SELECT attachment_id, earlier_id, distance, same_file FROM attachment_twins ORDER BY 2, 1")
    pairs = {(row["attachment_id"], row["earlier_id"]): row["distance"] for row in found}
    assert {pair: pairs[pair] for pair in pairs if pair[0] == alike} == {(alike, first): 3, (alike, again): 3}
    assert (other, first) not in pairs  # four bits apart: it only resembles
    assert not any(row["same_file"] for row in found)


async def test_a_case_whose_after_is_its_before_is_found(town: Town, where: FileSettings) -> None:
    ann, known = town.city.officers[0], await code(town)
    before = await kept(town, where, ann, b"before", look=77)
    case = await town.route((await town.file(report(ann, known, evidence=(before,))))[0].case.id)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    after = await kept(town, where, owner, b"before", look=77)
    await town.move(owner, case, Move.HAND_IN, evidence=(after,))
    await compare_round(town.pool)
    [twin] = await town.rows("SELECT attachment_id, earlier_id, same_file FROM attachment_twins")
    assert {twin["attachment_id"], twin["earlier_id"]} == {before, after}
    assert twin["same_file"]
