"""Pictures of cameras: what was sent is drawn anew, what lies elsewhere is fetched, what is past its time goes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final

from gridsvc.actions.settle_picture import Evidence, drop_of_nothing, keep_drawn, refuse_picture
from gridsvc.actions.sweep_pictures import sweep_pictures
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.camera_picture import LEASE, Host, Refusal
from gridsvc.domain.looking import snapshot_url
from gridsvc.domain.picture import HEAD, accepted_kind
from gridsvc.errors import CannotUnseal, UnacceptedMedia, Unavailable
from gridsvc.files import CAMERAS, THUMB, FileStore
from gridsvc.picture_desk import PictureDesk
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.shelves import files_of
from gridsvc.store import camera_gateways, camera_pictures
from gridsvc.store.camera_pictures import Claimed
from workers.fetch import Credential, fetch

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
REMOVE_AT_ONCE: Final = 500
LEFT_AFTER: Final = timedelta(minutes=15)  # a file of no picture: several leases long
DRAW_SECONDS: Final = 0.5
SWEEP_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class PictureWork:
    """What the rounds need. `sealer` None (no secret is set): hosts that want a credential are not asked."""

    pool: ConnPool
    files: FileStore
    desk: PictureDesk
    sealer: Sealer | None

    async def draw_round(self) -> int:
        """Draw anew all that was sent and of which something came; let go of the rest. How many were settled."""
        settled = 0
        async with transaction(self.pool, SERVICE) as (conn, now):
            await drop_of_nothing(conn, now, REMOVE_AT_ONCE)
        while True:
            async with transaction(self.pool, SERVICE) as (conn, now):
                mine = await camera_pictures.CLAIM_SENT.all(conn, now, LEASE, AT_ONCE)
            settled += sum(await asyncio.gather(*(self._draw_sent(each) for each in mine)))
            if len(mine) < AT_ONCE:
                break
        _told(settled)
        return settled

    async def fetch_round(self) -> int:
        """Fetch what lies with hosts that nobody else asks now; how many were settled."""
        async with transaction(self.pool, SERVICE) as (conn, now):
            hosts = await camera_pictures.lease_hosts(conn, LEASE, now)
        settled = sum(await asyncio.gather(*(self._of_host(code) for code in (*hosts, None))))
        _told(settled)
        return settled

    async def sweep_round(self) -> int:
        """Remove pictures past their time, and files that belong to none; how many pictures."""
        removed, full = 0, True
        while full:
            async with transaction(self.pool, SERVICE) as (conn, now):
                looked, gone = await sweep_pictures(conn, now, REMOVE_AT_ONCE)
            removed += gone
            full = looked >= REMOVE_AT_ONCE
        await self._remove_files()
        if removed:
            log.info("pictures removed", extra={"action": "camera_pictures_removed", "pictures": removed})
        return removed

    # -- drawing --------------------------------------------------------------------------------------

    async def _draw_sent(self, claimed: Claimed) -> bool:
        async with transaction(self.pool, SERVICE) as (conn, _):
            content = await camera_pictures.content(conn, claimed.id)
        with await asyncio.to_thread(self.files.incoming) as file:
            await asyncio.to_thread(file.write, content)
            return await self._draw(claimed, file, hashlib.sha256(content).digest())

    async def _draw(self, claimed: Claimed, file: IO[bytes], original: bytes) -> bool:
        """Draw what is in the file, and keep it; whether the picture is settled."""
        if claimed.attempts > await self._most_attempts():
            return await self._refused(claimed, Refusal.BREAKS)
        try:
            file.seek(0)
            accepted_kind(file.read(HEAD))
            drawn = await self.desk.draw(file)
        except UnacceptedMedia:
            return await self._refused(claimed, Refusal.NOT_A_PICTURE)
        except Unavailable:  # its lease ends, and it is tried again
            return False
        digest = hashlib.sha256(drawn.shown).digest()
        async with transaction(self.pool, SERVICE) as (conn, now):  # first: what lies on the disk stands in the table
            await camera_pictures.ADD_FILE.run(conn, digest, len(drawn.shown), now)
        evidence = Evidence(sha256=digest, original=original, width=drawn.width, height=drawn.height)
        async with transaction(self.pool, SERVICE) as (conn, now):
            await camera_pictures.HOLD_FILE.run(conn, digest)
            await camera_pictures.ADD_FILE.run(conn, digest, len(drawn.shown), now)
            await asyncio.to_thread(self.files.keep, drawn.shown, (THUMB, drawn.thumb))
            return await keep_drawn(conn, claimed.id, evidence, now)

    async def _most_attempts(self) -> int:
        async with transaction(self.pool, SERVICE) as (conn, _):
            return (await camera_pictures.rules(conn)).attempts

    async def _refused(self, claimed: Claimed, why: Refusal) -> bool:
        async with transaction(self.pool, SERVICE) as (conn, now):
            return await refuse_picture(conn, claimed, why, now)

    # -- fetching -------------------------------------------------------------------------------------

    async def _of_host(self, code: str | None) -> int:
        """Fetch some of what lies with a host, few at once, and let others ask it."""
        async with transaction(self.pool, SERVICE) as (conn, now):
            rows = await camera_gateways.HOSTS.all(conn)
            mine = await camera_pictures.CLAIM_OF_HOST.all(conn, now, LEASE, AT_ONCE, code)
            rules = await camera_pictures.rules(conn)
        sealed = {row.code: row.authorization_sealed for row in rows}
        turns = asyncio.Semaphore(rules.at_once_per_host)

        def credential(host: Host) -> str | None:
            kept = sealed[host.code]
            if kept is None:
                return None
            if self.sealer is None:
                raise CannotUnseal("without GRIDSVC_SECRET no credential of a host can be opened")
            return self.sealer.unseal(kept, purpose_of_host(host.code)).decode()

        async def one(claimed: Claimed) -> bool:
            async with turns:
                return await self._fetch(claimed, [row.listed for row in rows], credential)

        try:
            return sum(await asyncio.gather(*map(one, mine)))
        finally:
            if code is not None:
                async with transaction(self.pool, SERVICE) as (conn, _):
                    await camera_pictures.FREE_HOST.run(conn, code)

    async def _fetch(self, claimed: Claimed, hosts: Sequence[Host], credential: Credential) -> bool:
        url = claimed.url if claimed.came_as == "address" else await self._asked(claimed)
        if url is None:
            return await self._refused(claimed, Refusal.NO_GATEWAY)
        with await asyncio.to_thread(self.files.incoming) as file:
            try:
                why = await fetch(url, hosts, credential, file)
            except CannotUnseal:
                why = Refusal.CREDENTIAL
            if why is not None:
                return await self._refused(claimed, why)
            file.seek(0)
            return await self._draw(claimed, file, hashlib.sha256(await asyncio.to_thread(file.read)).digest())

    async def _asked(self, claimed: Claimed) -> str | None:
        """Where the gateway of a look has its picture; None where it is set no more."""
        async with transaction(self.pool, SERVICE) as (conn, _):
            gateway = (await camera_gateways.gateways_of(conn, [claimed.id])).get(claimed.id)
            rows = {row.code: row.snapshot_template for row in await camera_gateways.GATEWAYS.all(conn)}
        template = rows.get(gateway or "")
        return None if template is None else snapshot_url(template, claimed.camera)

    # -- removing -------------------------------------------------------------------------------------

    async def _remove_files(self) -> None:
        async with transaction(self.pool, SERVICE) as (conn, now):
            left = await camera_pictures.LEFT_FILES.all(conn, now - LEFT_AFTER, REMOVE_AT_ONCE)
        for row in left:
            async with transaction(self.pool, SERVICE) as (conn, _):
                await camera_pictures.HOLD_FILE.run(conn, row.sha256)
                if await camera_pictures.REMOVE_FILE.one(conn, row.sha256) is not None:
                    await asyncio.to_thread(self.files.remove, row.sha256)


def picture_work(pool: ConnPool, settings: Settings) -> PictureWork:
    """The work as the settings want it."""
    return PictureWork(
        pool=pool,
        files=files_of(settings.files, CAMERAS),
        desk=PictureDesk(settings.files.most_pixels),
        sealer=Sealer.of_secrets(settings.identity.sealing) if settings.identity.secret else None,
    )


def _told(settled: int) -> None:
    if settled:
        log.info("pictures settled", extra={"action": "camera_pictures_settled", "pictures": settled})


def purpose_of_host(code: str) -> str:
    """For what the credential of a host is sealed."""
    return f"camera host {code}"
