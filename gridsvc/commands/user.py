"""`gridsvc user`: accounts of people and keys of programs."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from gridsvc import passwords
from gridsvc.api.routes import ROUTES
from gridsvc.api.tokens import ApiKey
from gridsvc.commands import user_secret
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.errors import BadSettings, Refused, Unknown
from gridsvc.ids import new_id
from gridsvc.settings import Settings
from gridsvc.store import api_keys, sessions, users

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLES: Final = {
    "add": """\
example: a dispatcher of one district; the password is asked for
  gridsvc user add wang.li --name 王丽 --role dispatcher --division 620102

example: an officer of one duty line, and a handler of a department
  gridsvc user add zhao --name 赵强 --role officer --division 620102001 --duty-line sanitation --password-file p
  gridsvc user add qian --name 钱进 --role handler --division 6201 --department water --password-file p

A user who is there already gets the role besides those that he has.""",
    "token": """\
example: a partner's program may file reports in one district; the key is printed once
  gridsvc user token "hotline" --scope reports:write --scope grid:read --division 620102 --days 365

example: the key of Prometheus; revoking it
  gridsvc user token prometheus --scope metrics:read --division 6201
  gridsvc user token --revoke 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11""",
    "deactivate": """\
example: out within seconds, everywhere; what he did stays in the history
  gridsvc user deactivate wang.li""",
    "secret": """\
example: what a program signs its camera events with; printed once
  gridsvc user secret give 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11

example: another one instead, the old one good for another day; the old one ended at once
  gridsvc user secret rotate 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11 --grace-hours 24
  gridsvc user secret revoke 019aaf3e-77a0-7c3e-9d5c-0a5b8f6f1f12

example: from now on nothing of this key is taken unsigned; and again as before
  gridsvc user secret require 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11
  gridsvc user secret release 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11

example: which there are
  gridsvc user secret list""",
    "list": """\
example:
  gridsvc user list""",
}

ROLE_SCOPES: Final = frozenset(f"role:{role}" for role in Role)
"""With one of these a key acts in that role where roles are asked for; without, it sees as an auditor does."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("user", help="accounts and API keys")
    parts = parser.add_subparsers(dest="part", required=True, metavar="add|token|secret|deactivate|list")
    adding = _part(parts, "add", "a person who may sign in, or one more role of his")
    adding.add_argument("username", help="what he signs in by; small letters")
    adding.add_argument("--name", default="", help="what others see; the username if left out")
    adding.add_argument("--role", required=True, choices=[str(role) for role in Role])
    _add_area(adding)
    adding.add_argument("--password-file", type=Path, help="a file with the password; it is asked for if left out")
    adding.add_argument("--no-password", action="store_true", help="he cannot sign in by password")
    token = _part(parts, "token", "a key for a program")
    token.add_argument("name", nargs="?", default="", help="what the key is for")
    token.add_argument("--scope", action="append", default=[], metavar="SCOPE", help=", ".join(sorted(scopes())))
    _add_area(token, needed=False)
    token.add_argument("--days", type=int, help="how long it is good for; for ever if left out")
    token.add_argument("--revoke", type=UUID, metavar="ID", help="end this key instead")
    secret = _part(parts, "secret", "what a program signs its camera events with (Standard Webhooks)")
    user_secret.add_to(secret)
    gone = _part(parts, "deactivate", "put a person out")
    gone.add_argument("username")
    _part(parts, "list", "every account and key")


def scopes() -> frozenset[str]:
    """Every scope that a key can have: those of the routes, and role:<role>."""
    return frozenset(route.scope for route in ROUTES if route.scope) | ROLE_SCOPES


def _part(parts: Subparsers, name: str, says: str) -> argparse.ArgumentParser:
    return parts.add_parser(
        name, help=says, epilog=_EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_area(parser: argparse.ArgumentParser, *, needed: bool = True) -> None:
    parser.add_argument("--division", required=needed, help="code of the division; everything below is meant too")
    axis = parser.add_mutually_exclusive_group()
    axis.add_argument("--department", help="only what this department handles")
    axis.add_argument("--duty-line", help="only what belongs to this duty line")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one of the parts; 0 when done. Raises GridError with the reason otherwise."""
    if not settings.database.url:
        raise BadSettings("GRIDSVC_DATABASE_URL is not set; want the address of the city's database")
    if arguments.part == "secret":
        return await user_secret.run(arguments, settings)
    work = {"add": _add_user, "token": _token, "deactivate": _deactivate, "list": _list}[arguments.part]
    async with open_pool(settings.database.url, size=1, name="gridsvc user") as pool:
        try:
            async with transaction(pool, SERVICE) as (conn, now):
                for line in await work(conn, arguments, now):
                    print(line)
        except asyncpg.ForeignKeyViolationError as missing:
            raise Unknown(f"no such department or duty line: {missing.detail}") from missing
    return 0


async def _add_user(conn: Conn, arguments: argparse.Namespace, now: datetime) -> list[str]:
    username = arguments.username.strip().lower()
    grant = _grant(arguments)
    await _known_division(conn, grant.division, now)
    known = await users.ID_OF.one(conn, username)
    if known is None:
        hashed = None if arguments.no_password else passwords.hash_password(_password(arguments.password_file))
        user_id = new_id()
        await users.ADD.run(conn, user_id, username, arguments.name or username, hashed, now)
    else:
        user_id = known.id
    await users.add_grants(conn, user_id, [grant])
    if grant.role is Role.OFFICER:
        await users.ADD_OFFICER.run(conn, user_id, grant.duty_line)
    return [f"{username} is {grant.role} of {grant.division}" + (", and was there before" if known else "")]


def _grant(arguments: argparse.Namespace) -> Grant:
    role = Role(arguments.role)
    if role is Role.OFFICER and not arguments.duty_line:
        raise Refused("an officer works in one duty line; want --duty-line")
    if role is Role.HANDLER and not arguments.department:
        raise Refused("a handler works for one department; want --department")
    return Grant(role=role, division=arguments.division, department=arguments.department, duty_line=arguments.duty_line)


async def _known_division(conn: Conn, code: str, now: datetime) -> None:
    """A misspelt division would be a role over nothing; before a grid set is in force any code is taken."""
    found = await users.DIVISION_IN_FORCE.one(conn, code, now)
    if found is not None and not found.known:
        raise Unknown(f"the grid set in force has no division {code}")


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise Refused(f"{file} cannot be read: {error.strerror}") from error
    elif sys.stdin.isatty():
        text = getpass.getpass("password: ")
    else:
        text = sys.stdin.readline().rstrip("\n")
    if len(text) < passwords.SHORTEST or len(text.encode()) > passwords.LONGEST:
        raise Refused(f"the password has {len(text)} characters; want {passwords.SHORTEST} to {passwords.LONGEST}")
    return text


async def _token(conn: Conn, arguments: argparse.Namespace, now: datetime) -> list[str]:
    if arguments.revoke is not None:
        if not await api_keys.REVOKE.run(conn, arguments.revoke, now):
            raise Unknown(f"no key {arguments.revoke} that could be revoked; gridsvc user list shows them")
        return [f"{arguments.revoke} is revoked; every process refuses it within 10 s"]
    _whole_key(arguments)
    await _known_division(conn, arguments.division, now)
    key = ApiKey.new(new_id())
    ends = None if arguments.days is None else now + timedelta(days=arguments.days)
    await api_keys.ADD.run(
        conn, key.id, arguments.name, key.digest, sorted(set(arguments.scope)), arguments.division,
        arguments.department, arguments.duty_line, now, ends,
    )  # fmt: skip
    return [key.text]


def _whole_key(arguments: argparse.Namespace) -> None:
    if not arguments.name or not arguments.scope or not arguments.division:
        raise Refused("a key needs a name, at least one --scope, and a --division")
    strangers = sorted(set(arguments.scope) - scopes())
    if strangers:
        raise Refused(f"no such scope: {', '.join(strangers)}; want of {', '.join(sorted(scopes()))}")
    if arguments.days is not None and arguments.days < 1:
        raise Refused(f"--days is {arguments.days}; want 1 or more")


async def _deactivate(conn: Conn, arguments: argparse.Namespace, now: datetime) -> list[str]:
    username = arguments.username.strip().lower()
    if not await users.DEACTIVATE.run(conn, username):
        raise Unknown(f"nobody called {username} is active")
    ended = await sessions.END_ALL_OF.run(conn, username, now, "deactivated")
    return [f"{username} is out; sessions ended: {ended}"]


async def _list(conn: Conn, _: argparse.Namespace, now: datetime) -> list[str]:
    people = [
        f"{row.username}\t{row.display_name}\t{'active' if row.active else 'out'}\t{' '.join(row.roles)}"
        for row in await users.LISTED.all(conn)
    ]
    keys = [
        f"{row.id}\t{row.name}\t{_standing(row, now)}\t{' '.join(row.scopes)}@{row.division_code}"
        for row in await api_keys.LISTED.all(conn)
    ]
    return [*people, *keys]


def _standing(row: api_keys.Listed, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"
