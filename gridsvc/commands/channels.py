"""`gridsvc channels`: HTTP gateways by which notices go on (SMS, WeCom …), and whose address is what there."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import asyncpg

from events.intake.signature import secret_bytes
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.domain.pushing import CODE as PUSH
from gridsvc.domain.reaching import faults_of_template, masked
from gridsvc.errors import BadSettings, SetupError
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store import channels, pushes, users
from gridsvc.webpush import fresh_key
from workers.reach import purpose_of_address, purpose_of_headers, purpose_of_secret

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
examples:
  gridsvc channels put sms https://sms.example.cn/v1/messages --place 1 \\
    --template-file sms.json --headers-file sms.headers.json --secret-file sms.secret
  gridsvc channels addresses phones.csv      # username,channel,address; an empty address is forgotten
  gridsvc channels list
  gridsvc channels push --place 1            # Web Push to phones that subscribe; its keys are made once
  gridsvc channels remove sms

The template is JSON with {address}, {text}, {text_en}, {number}, {kind}, {severity}, {notice} in its strings. The
file of headers is a JSON object; the secret is whsec_… (Standard Webhooks). Both are kept sealed, and so are addresses.
Which notices go on: [[reach]] in `gridsvc notices`. docs/rules/channels.md.
Exit code 0: done; 1: refused, nothing was kept; 2: the command was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `channels` to the command line."""
    parser = subparsers.add_parser(
        "channels", help="ways to people beside the app", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    verbs.add_parser("list", help="which there are; of what is sealed only whether it is there")
    put = verbs.add_parser("put", help="add a gateway, or change it")
    put.add_argument("code")
    put.add_argument("url")
    put.add_argument("--place", type=int, required=True, help="its order among the channels of a person, from 1")
    put.add_argument("--template-file", type=Path, required=True)
    put.add_argument("--headers-file", type=Path)
    put.add_argument("--secret-file", type=Path)
    pushing = verbs.add_parser("push", help="let phones subscribe to Web Push, or change its place")
    pushing.add_argument("--place", type=int, required=True, help="as of put")
    verbs.add_parser("remove", help="remove a gateway and all addresses in it").add_argument("code")
    verbs.add_parser("addresses", help="set addresses of people").add_argument("file", type=Path)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code. Raises SetupError for what cannot be kept."""
    if not any(settings.identity.sealing):
        raise BadSettings("neither GRIDSVC_SEALING_SECRETS nor GRIDSVC_SECRET is set; want one to seal with")
    sealer = Sealer.of_secrets(settings.identity.sealing)
    async with (
        open_pool(settings.database.url, size=1, name="gridsvc channels") as pool,
        transaction(pool, SERVICE) as (conn, now),
    ):
        match arguments.verb:
            case "list":
                for gateway in await channels.GATEWAYS.all(conn):
                    told = {name: _shown(name, value) for name, value in vars(gateway).items()}
                    print(json.dumps(told, ensure_ascii=False, default=str))
            case "put":
                await _put(conn, arguments, sealer)
            case "push":
                await _check_place(conn, PUSH, arguments.place)
                await pushes.TURN_ON.run(conn, arguments.place, sealer.seal(fresh_key(), pushes.PURPOSE_OF_KEY))
            case "remove":
                if not await channels.REMOVE_GATEWAY.run(conn, arguments.code):
                    print(f"gridsvc channels: no channel {arguments.code}", file=sys.stderr)
                    return 1
            case "addresses":
                rows = _rows(arguments.file)
                for row, (username, channel, address) in enumerate(rows, start=2):
                    user = await users.ID_OF.one(conn, username)
                    if channel == PUSH:
                        raise SetupError(f"{arguments.file}, row {row}: phones subscribe to {PUSH} themselves")
                    if user is None:
                        raise SetupError(f"{arguments.file}, row {row}: no user {username!r}")
                    if not address:
                        await channels.FORGET_ADDRESS.run(conn, user.id, channel)
                        continue
                    sealed = sealer.seal(address.encode(), purpose_of_address(channel, user.id))
                    try:
                        await channels.SET_ADDRESS.one(conn, user.id, channel, sealed, masked(address), now)
                    except asyncpg.ForeignKeyViolationError as unknown:
                        raise SetupError(f"{arguments.file}, row {row}: no channel {channel!r}") from unknown
                print(f"{arguments.file.name}: {len(rows)} addresses")
    return 0


def _shown(name: str, value: object) -> object:
    return value is not None if name.endswith("_sealed") else value


async def _put(conn: Conn, given: argparse.Namespace, sealer: Sealer) -> None:
    if given.code == PUSH:
        raise SetupError(f"{PUSH} is Web Push's code; want another, or gridsvc channels push")
    parts = urlsplit(given.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise SetupError(f"{given.url!r} is no address of a gateway; want http(s)://host/… without a password in it")
    await _check_place(conn, given.code, given.place)
    template = _text(given.template_file)
    if faults := faults_of_template(template):
        raise SetupError(f"{given.template_file}: {'; '.join(faults)}")
    headers, secret = None, None
    if given.headers_file is not None:
        written = _text(given.headers_file)
        named = json.dumps(_headers(given.headers_file, written)).encode()
        headers = sealer.seal(named, purpose_of_headers(given.code))
    if given.secret_file is not None:
        key = secret_bytes(_text(given.secret_file).strip())
        if key is None:
            raise SetupError(f"{given.secret_file}: want whsec_ and 24 to 64 bytes in base64")
        secret = sealer.seal(key, purpose_of_secret(given.code))
    try:
        await channels.PUT_GATEWAY.run(conn, given.code, given.place, given.url, template, headers, secret)
    except asyncpg.CheckViolationError as wrong:
        raise SetupError(f"{given.code!r} is no code of a channel; want a-z, 0-9 and _, and not app") from wrong


async def _check_place(conn: Conn, code: str, place: int) -> None:
    if place < 1:
        raise SetupError(f"--place is {place}; want 1 or more")
    # Of two at one place the second would never be tried: what comes next is what stands behind the last.
    for other in await channels.GATEWAYS.all(conn):
        if other.place == place and other.code != code:
            raise SetupError(f"--place {place} is that of {other.code}; want a place of its own")


def _headers(path: Path, written: str) -> dict[str, str]:
    try:
        read = json.loads(written)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(value, str) and value.isprintable() for value in read.values()):
        raise SetupError(f"{path}: want a JSON object of names and texts")
    return {str(name): value for name, value in read.items()}


def _rows(path: Path) -> list[tuple[str, str, str]]:
    reader = csv.DictReader(io.StringIO(_text(path)))
    if set(reader.fieldnames or ()) != {"username", "channel", "address"}:
        raise SetupError(f"{path}: want the columns username, channel and address")
    return [(row["username"].strip(), row["channel"].strip(), (row["address"] or "").strip()) for row in reader]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from error
