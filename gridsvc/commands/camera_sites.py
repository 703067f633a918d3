"""`gridsvc cameras site`: who may publish over MQTT, for which cameras."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from gridsvc.actions.give_site import give_site
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.errors import SetupError, Unknown
from gridsvc.local.broker_sites import Password, document, make_password, private_broker, tell_broker
from gridsvc.settings import Settings
from gridsvc.store import mqtt_sites

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME: Final = "site"
ACTOR: Final = "command:cameras site"

_EXAMPLE: Final = """\
examples:
  gridsvc cameras site add market CAMERA CAMERA …   a user `market` of the broker; its password is printed once
  gridsvc cameras site rotate market                another password; the old one is good for nothing at once
  gridsvc cameras site revoke market
  gridsvc cameras site list
  gridsvc cameras site definitions                  the users, for a broker that exists:
    gridsvc cameras site definitions | rabbitmqctl import_definitions

The broker of `gridsvc up` is told at once. Exit code 0: done; 1: refused; 2: the command was wrong."""


def add_to(parts: Subparsers) -> None:
    """Add `site` to the parts of `gridsvc cameras`."""
    parser = parts.add_parser(
        NAME, help="who may publish over MQTT (Frigate), for which cameras", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("verb", choices=["add", "rotate", "revoke", "list", "definitions"])
    parser.add_argument("name", nargs="?", help="of the site: its user, and the first word of its topics")
    parser.add_argument("cameras", nargs="*", metavar="CAMERA", help="with add: codes of the cameras it speaks for")
    parser.add_argument("--label", default="", help="with add: what it is")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code."""
    wants_name = arguments.verb in {"add", "rotate", "revoke"}
    if wants_name != (arguments.name is not None) or bool(arguments.cameras) != (arguments.verb == "add"):
        print(f"gridsvc cameras site {arguments.verb}: want {_wanted(arguments.verb)}", file=sys.stderr)
        return 2
    async with open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras site") as pool:
        match arguments.verb:
            case "list":
                await _list(pool)
            case "definitions":
                print(document(await _users(pool), settings.broker.url))
            case "revoke":
                await _revoke(pool, arguments.name, settings)
            case _:
                await _open(pool, arguments, settings)
    return 0


def _wanted(verb: str) -> str:
    return {"add": "a name and at least one camera", "rotate": "a name", "revoke": "a name"}.get(verb, "nothing more")


async def _users(pool: ConnPool) -> list[tuple[str, str]]:
    async with transaction(pool) as (conn, _):
        return mqtt_sites.users(await mqtt_sites.LISTED.all(conn))


async def _open(pool: ConnPool, given: argparse.Namespace, settings: Settings) -> None:
    """Add a site, or give it another password."""
    password = make_password()
    async with transaction(pool) as (conn, now):
        if given.verb == "add":
            await give_site(conn, given.name, given.cameras, given.label, password.digest, ACTOR, now)
        elif not await mqtt_sites.ROTATE.run(conn, given.name, password.digest, now):
            raise Unknown(f"no site {given.name} that could be rotated; gridsvc cameras site list shows them")
    print(f"{given.name}\t{password.text}")
    _tell(settings, given.name, password)


def _tell(settings: Settings, name: str, password: Password) -> None:
    """Make or change the user in the private broker; of another, say who does."""
    broker = private_broker(settings)
    if broker is None:
        print("the broker is told by: gridsvc cameras site definitions | rabbitmqctl import_definitions")
        return
    try:
        tell_broker(broker, [(name, password.digest)])
    except SetupError as trouble:
        print(f"the broker was not told ({trouble.message}); the next gridsvc up tells it", file=sys.stderr)
    else:
        print(f"{broker.mqtt_url} takes it; topic_prefix and client_id: {name}")


async def _revoke(pool: ConnPool, name: str, settings: Settings) -> None:
    async with transaction(pool) as (conn, now):
        if not await mqtt_sites.REVOKE.run(conn, name, now):
            raise Unknown(f"no site {name} that could be revoked; gridsvc cameras site list shows them")
    print(f"{name} is revoked: nothing that comes below its topic is taken any more")
    broker = private_broker(settings)
    if broker is None:
        print(f"the broker still lets it in until: rabbitmqctl delete_user {name}")
        return
    try:
        broker.control("delete_user", name)
    except SetupError as trouble:
        print(f"the broker still lets it in ({trouble.message})", file=sys.stderr)


async def _list(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        for row in await mqtt_sites.LISTED.all(conn):
            heard = row.heard_at.isoformat(timespec="seconds") if row.heard_at else "never"
            standing = "revoked" if row.revoked_at else "active"
            print(f"{row.name}\t{standing}\t{row.label}\theard {heard}\t{row.messages}\t{' '.join(row.cameras)}")
