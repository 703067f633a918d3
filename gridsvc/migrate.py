"""Bring a database to today's schema, one numbered file after the other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg

from gridsvc.errors import CannotMigrate

_LOCK: Final = 0x67726964  # "grid": one migration of a database at a time, across processes
_NAME: Final = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


@dataclass(frozen=True)
class Migration:
    """One file of `gridsvc/migrations`."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text: an applied file must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations in order. Raises CannotMigrate on a gap or a misnamed file."""
    found = []
    for entry in sorted(resources.files("gridsvc").joinpath("migrations").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        match = _NAME.match(entry.name)
        if match is None:
            raise CannotMigrate(f"{entry.name} is no migration name; want 0001_what_it_does.sql")
        found.append(Migration(int(match.group(1)), entry.name, entry.read_text(encoding="utf-8")))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise CannotMigrate(f"migrations are not numbered 1 to {len(found)} without gaps")
    return found


async def migrate(owner_url: str) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; return the names applied.

    Twice does no harm. Raises CannotMigrate when PostGIS is missing and this login may not
    create it, when the database is newer than this program, or when an applied file has changed.
    """
    conn = await asyncpg.connect(owner_url, timeout=10)
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await conn.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
              number     integer PRIMARY KEY,
              name       text NOT NULL,
              digest     text NOT NULL,
              applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        done = {r["number"]: r["digest"] for r in await conn.fetch("SELECT number, digest FROM schema_migrations")}
        wanted = migrations()
        _refuse_strangers(done, wanted)
        await _need_postgis(conn)
        applied = []
        for migration in wanted:
            if migration.number in done:
                continue
            async with conn.transaction():
                await conn.execute(migration.sql)
                await conn.execute(
                    "INSERT INTO schema_migrations (number, name, digest) VALUES ($1, $2, $3)",
                    migration.number, migration.name, migration.digest,
                )  # fmt: skip
            applied.append(migration.name)
        await conn.execute("GRANT SELECT ON schema_migrations TO gridsvc_app")
        await _join_application_role(conn)
        return applied
    finally:
        await conn.close()


def _refuse_strangers(done: dict[int, str], wanted: list[Migration]) -> None:
    known = {m.number: m for m in wanted}
    for number, digest in done.items():
        if number not in known:
            raise CannotMigrate(
                f"the database has migration {number}, this program knows {len(wanted)}: run the newer program"
            )
        if known[number].digest != digest:
            raise CannotMigrate(f"{known[number].name} was changed after it was applied; add a new file instead")


async def _need_postgis(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    if await conn.fetchval("SELECT 1 FROM pg_extension WHERE extname = 'postgis'"):
        return
    try:
        await conn.execute("CREATE EXTENSION postgis")
    except asyncpg.InsufficientPrivilegeError as error:
        raise CannotMigrate(
            "PostGIS is not in this database and this login may not add it; "
            "let a superuser run: CREATE EXTENSION postgis;"
        ) from error
    except asyncpg.FeatureNotSupportedError as error:
        raise CannotMigrate("this PostgreSQL server has no PostGIS installed") from error


async def _join_application_role(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    """Let this login work as the application role too: a superuser may anyway, others must be members."""
    if await conn.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return
    login = await conn.fetchval("SELECT quote_ident(current_user)")
    try:
        await conn.execute(f"GRANT gridsvc_app TO {login}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise CannotMigrate(
            f"this login may not work as the application role; let a superuser run: GRANT gridsvc_app TO {login};"
        ) from error
