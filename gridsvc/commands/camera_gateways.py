"""`gridsvc cameras hosts` and `gateways`: from where pictures may be fetched, and what shows a camera's stream."""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import asyncpg

from gridsvc.actions.look_through_camera import purpose_of
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.domain.camera_picture import on_list
from gridsvc.domain.looking import fault_of_template, snapshot_url
from gridsvc.errors import SetupError
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store import camera_gateways
from gridsvc.store.camera_gateways import GatewayRow, HostRow
from workers.camera_pictures import purpose_of_host

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAMES: Final = ("hosts", "gateways")

_EXAMPLES: Final = {
    "hosts": """\
examples:
  gridsvc cameras hosts put frigate http://frigate.video.lan:5000/api/ --network 10.20.0.0/16 --camera 620100001
  gridsvc cameras hosts put vms https://vms.example.org/pictures/ --authorization-file vms.header
  gridsvc cameras hosts list
  gridsvc cameras hosts remove vms

The file holds the value of the header, such as `Basic dXNlcjpwYXNz`; it is kept sealed.
--camera: addresses of this camera that name no host (Frigate's) are of this one.
Exit code 0: done; 1: there is no such; 2: the command was wrong.""",
    "gateways": """\
examples:
  gridsvc cameras gateways put go2rtc --key-file play.key \\
    --play 'https://video.example.org/{camera}/?until={expires}&sig={signature}' \\
    --snapshot 'http://go2rtc.video.lan:1984/api/frame.jpeg?src={camera}'
  gridsvc cameras gateways put wvp --protocol gb28181 --key-file play.key --play '…'
  gridsvc cameras gateways list
  gridsvc cameras gateways remove wvp

Snapshots come from a host of `gridsvc cameras hosts`. How the gateway checks a link: docs/cameras/looking.md.
Exit code 0: done; 1: there is no such; 2: the command was wrong.""",
}


def add_to(parts: Subparsers) -> None:
    """Add both to the parts of `gridsvc cameras`."""
    hosts = _part(parts, "hosts", "from where alone pictures are fetched")
    hosts.add_argument("verb", choices=["list", "put", "remove"])
    hosts.add_argument("code", nargs="?")
    hosts.add_argument("url", nargs="?", metavar="URL", help="scheme, host, port and the path that all begin with")
    hosts.add_argument("--network", action="append", default=[], metavar="CIDR", help="addresses beside public ones")
    hosts.add_argument("--camera", action="append", default=[], metavar="CODE")
    hosts.add_argument("--authorization-file", type=Path, metavar="FILE")
    gateways = _part(parts, "gateways", "what shows the stream of a camera, or takes a picture of it")
    gateways.add_argument("verb", choices=["list", "put", "remove"])
    gateways.add_argument("code", nargs="?")
    gateways.add_argument("--camera", action="append", default=[], metavar="CODE", help="it serves these alone")
    gateways.add_argument("--protocol", action="append", default=[], metavar="CODE", help="it serves these alone")
    gateways.add_argument("--play", metavar="TEMPLATE", help="with {camera}, {expires}, {signature}")
    gateways.add_argument("--snapshot", metavar="TEMPLATE", help="with {camera}")
    gateways.add_argument("--key-file", type=Path, metavar="FILE", help="what signs play links")


def _part(parts: Subparsers, name: str, says: str) -> argparse.ArgumentParser:
    return parts.add_parser(
        name, help=says, epilog=_EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
    )


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code. Raises SetupError for what cannot be a host or gateway."""
    part, verb = arguments.part, arguments.verb
    if (arguments.code is None) == (verb != "list") or (part == "hosts" and (arguments.url is None) == (verb == "put")):
        print(f"gridsvc cameras {part} {verb}: see gridsvc cameras {part} --help", file=sys.stderr)
        return 2
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name=f"gridsvc cameras {part}") as pool,
        transaction(pool) as (conn, _),
    ):
        if verb == "list":
            return await _list(conn, part)
        if verb == "remove":
            return await _remove(conn, part, arguments.code)
        if part == "hosts":
            await _put_host(conn, arguments, settings)
        else:
            await _put_gateway(conn, arguments, settings)
    return 0


async def _list(conn: Conn, part: str) -> int:
    """One a line, as JSON; of what is sealed only whether it is there."""
    rows = await (camera_gateways.HOSTS if part == "hosts" else camera_gateways.GATEWAYS).all(conn)
    for row in rows:
        print(json.dumps({name: _shown(name, value) for name, value in vars(row).items()}, ensure_ascii=False))
    return 0


def _shown(name: str, value: object) -> object:
    return value is not None if name.endswith("_sealed") else value


async def _remove(conn: Conn, part: str, code: str) -> int:
    statement = camera_gateways.REMOVE_HOST if part == "hosts" else camera_gateways.REMOVE_GATEWAY
    try:
        gone = await statement.one(conn, code)
    except asyncpg.ForeignKeyViolationError as held:
        raise SetupError(f"a gateway takes its pictures from {code}; remove the gateway first") from held
    if gone is None:
        print(f"gridsvc cameras {part}: no {code}", file=sys.stderr)
        return 1
    return 0


async def _put_host(conn: Conn, given: argparse.Namespace, settings: Settings) -> None:
    parts = urlsplit(given.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise SetupError(f"{given.url!r} is no address of http or https without user and query")
    for network in given.network:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise SetupError(f"--network {network}: {error}; want one such as 10.20.0.0/16") from None
    sealed = None
    if given.authorization_file is not None:
        sealed = _sealer(settings).seal(_secret(given.authorization_file), purpose_of_host(given.code))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    row = HostRow(
        given.code, parts.scheme, parts.hostname, port, parts.path or "/", given.network, given.camera, sealed
    )
    await camera_gateways.PUT_HOST.run(conn, *vars(row).values())


async def _put_gateway(conn: Conn, given: argparse.Namespace, settings: Settings) -> None:
    for kind, template in (("play", given.play), ("snapshot", given.snapshot)):
        fault = None if template is None else fault_of_template(template, kind)
        if fault is not None:
            raise SetupError(f"--{kind}: {fault}; was {template!r}")
    if given.play is None and given.snapshot is None:
        raise SetupError("a gateway shows a stream or takes pictures; want --play, --snapshot or both")
    if (given.play is None) != (given.key_file is None):
        raise SetupError("--play and --key-file go together: a play link is signed")
    host = None
    if given.snapshot is not None:
        host = on_list(snapshot_url(given.snapshot, "0"), await camera_gateways.listed_hosts(conn))
        if host is None:
            raise SetupError(f"--snapshot: {given.snapshot!r} is of no host of `gridsvc cameras hosts list`")
    key = None
    if given.key_file is not None:
        key = _sealer(settings).seal(_secret(given.key_file), purpose_of(given.code))
    row = GatewayRow(
        given.code, given.camera, given.protocol, given.play, given.snapshot, host.code if host else None, key
    )
    await camera_gateways.PUT_GATEWAY.run(conn, *vars(row).values())


def _sealer(settings: Settings) -> Sealer:
    if not settings.identity.secret:
        raise SetupError("GRIDSVC_SECRET is empty; what is secret cannot be sealed without it")
    return Sealer.of_secrets(settings.identity.sealing)


def _secret(path: Path) -> bytes:
    try:
        read = path.read_bytes().strip()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    if not read:
        raise SetupError(f"{path} is empty; want a secret in it")
    return read
