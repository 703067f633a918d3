"""Pictures are fetched from hosts of the allow-list, and from nowhere else.

The name of a host is resolved once, each address is held against what the list allows, and the connection goes to
that very address; a redirect is followed to hosts of the list alone.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Final
from urllib.parse import urljoin

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gridsvc.domain.camera_picture import Host, Refusal, may_connect, on_list

MOST_BYTES: Final = 8 * 1024 * 1024
WITHIN_S: Final = 15.0
CONNECT_S: Final = 5.0
MOST_REDIRECTS: Final = 3

_CHUNK: Final = 64 * 1024
_MOVED: Final = frozenset({301, 302, 303, 307, 308})

Credential = Callable[[Host], str | None]
"""The Authorization that a host wants; None: none."""


class AddressRefused(OSError):
    """The name stands for no address that it may stand for."""


@dataclass
class _OnList(AbstractResolver):
    host: Host

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family, proto=socket.IPPROTO_TCP
        )
        good = [each for each in found if may_connect(str(each[4][0]), self.host)]
        if not good:
            raise AddressRefused(f"{host} stands for no address that the list allows")
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=of, proto=proto, flags=socket.AI_NUMERICHOST
            )
            for of, _, proto, _, address in good
        ]

    async def close(self) -> None:
        """Nothing is held."""


def connector_to(host: Host) -> TCPConnector | None:
    """What connects to addresses that this host may stand for and to no others; None: it is an address, and may not.

    The connection fails with AddressRefused where its name stands for no such address.
    """
    if _is_address(host.host) and not may_connect(host.host, host):  # no name, so nobody resolves it
        return None
    return TCPConnector(resolver=_OnList(host), use_dns_cache=False, force_close=True)


async def fetch(url: str, hosts: Sequence[Host], credential: Credential, file: IO[bytes]) -> Refusal | None:
    """Write what lies at `url` into `file`; None: it did, else why not. Redirects stay on the list."""
    try:
        async with asyncio.timeout(WITHIN_S):
            for _ in range(MOST_REDIRECTS + 1):
                answer = await _ask(url, hosts, credential, file)
                if not isinstance(answer, str) or isinstance(answer, Refusal):
                    return answer
                url = answer
                if on_list(url, hosts) is None:
                    return Refusal.REDIRECT
    except TimeoutError:
        return Refusal.TOO_SLOW
    return Refusal.REDIRECT


async def _ask(url: str, hosts: Sequence[Host], credential: Credential, file: IO[bytes]) -> Refusal | str | None:
    """None: it is in the file; a text: the address that the host names instead."""
    host = on_list(url, hosts)
    if host is None:
        return Refusal.NOT_LISTED
    connector = connector_to(host)
    if connector is None:
        return Refusal.ADDRESS
    headers = {"Accept": "image/jpeg, image/png, image/webp", "Accept-Encoding": "identity"}
    if (said := credential(host)) is not None:
        headers["Authorization"] = said
    try:
        async with (
            ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), auto_decompress=False, trust_env=False,
                timeout=ClientTimeout(total=WITHIN_S, sock_connect=CONNECT_S), headers=headers,
            ) as session,
            session.get(URL(url, encoded=True), allow_redirects=False) as answer,
        ):  # fmt: skip
            return await _read(url, answer, file)
    except ClientConnectorError as error:
        return Refusal.ADDRESS if isinstance(error.os_error, AddressRefused) else Refusal.UNREACHABLE
    except (ClientError, OSError, ValueError):
        return Refusal.UNREACHABLE


async def _read(url: str, answer: ClientResponse, file: IO[bytes]) -> Refusal | str | None:
    if answer.status in _MOVED:
        return urljoin(url, answer.headers.get("Location", ""))
    if answer.status != 200 or answer.headers.get("Content-Encoding", "identity") != "identity":
        return Refusal.BAD_ANSWER
    size = 0
    async for chunk in answer.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            return Refusal.TOO_LARGE
        await asyncio.to_thread(file.write, chunk)
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
