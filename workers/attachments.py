"""What time brings to uploads and attachments: uploads end, photographs are compared, files go after their time."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from gridsvc.actions.find_twins import find_twins
from gridsvc.actions.sweep_attachments import sweep_attachments
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.sound import SUFFIXES
from gridsvc.files import ORIGINALS, PICTURE, SEALED, THUMB, PartFiles
from gridsvc.settings import FileSettings
from gridsvc.shelves import files_of
from gridsvc.store import attachment_files, uploads

log = logging.getLogger(__name__)

UPLOAD_SECONDS: Final = 60.0
COMPARE_SECONDS: Final = 5.0  # how soon a photograph that was used before is flagged
SWEEP_SECONDS: Final = 300.0
PAGE: Final = 200
LEFT_AFTER: Final = timedelta(hours=1)  # a file of no attachment: the longest form is looked at within minutes

_SUFFIXES: Final = {"picture": (PICTURE, THUMB), "sound": tuple(SUFFIXES.values()), "original": (SEALED,)}


async def end_uploads_round(pool: ConnPool, settings: FileSettings) -> int:
    """Forget uploads whose time is over, and take away what lies on this machine of those that are open no more."""
    ended, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            page = await uploads.remove_expired(conn, now, PAGE)
        ended += page
        full = page >= PAGE
    parts = PartFiles(settings.directory)
    there = await asyncio.to_thread(parts.uploads)
    async with transaction(pool, SERVICE) as (conn, _):
        wanted = await uploads.still_open(conn, there)
    for each in there:
        if each not in wanted:
            await asyncio.to_thread(parts.remove, each)
    if ended:
        log.info("uploads ended", extra={"action": "uploads_ended", "uploads": ended})
    return ended


async def compare_round(pool: ConnPool) -> int:
    """Compare photographs that became evidence with those before them; return how many."""
    compared, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            page = await find_twins(conn, now, PAGE)
        compared += page
        full = page >= PAGE
    return compared


async def sweep_attachments_round(pool: ConnPool, settings: FileSettings) -> int:
    """Remove attachments and originals whose time is over, and files that belong to none; return how many removals."""
    removed, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            looked, gone = await sweep_attachments(conn, now, PAGE)
        removed += gone
        full = looked >= PAGE
    await _remove_files(pool, settings)
    if removed:
        log.info("attachments removed", extra={"action": "attachments_removed", "attachments": removed})
    return removed


async def _remove_files(pool: ConnPool, settings: FileSettings) -> None:
    stores = {"picture": files_of(settings), "sound": files_of(settings), "original": files_of(settings, ORIGINALS)}
    full = True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            left = await attachment_files.LEFT.all(conn, now - LEFT_AFTER, PAGE)
        for row in left:
            async with transaction(pool, SERVICE) as (conn, now):  # whoever wants it again waits for this commit
                if await attachment_files.REMOVE.one(conn, row.sha256, row.kind, now - LEFT_AFTER) is not None:
                    await asyncio.to_thread(stores[row.kind].remove, row.sha256, _SUFFIXES[row.kind])
        full = len(left) >= PAGE
