"""The database as the rest of the service meets it: pools, scoped transactions, typed statements.

A `Statement` holds its SQL, its parameters' casts and the type of its row on one screen; a house
test prepares every statement of `gridsvc.store` against the real schema.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

import asyncpg
import shapely
from asyncpg.pool import PoolConnectionProxy

from gridsvc.errors import BadSettings

if TYPE_CHECKING:  # asyncpg's classes are generic in its stubs only
    Conn = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    ConnPool = asyncpg.Pool[asyncpg.Record]
else:
    Conn = asyncpg.Connection | PoolConnectionProxy
    ConnPool = asyncpg.Pool

Row = TypeVar("Row")

SERVICE: Final = "*"
"""The scope of the service itself: workers and commands, never a request on behalf of a caller."""

APPLICATION_ROLE: Final = "gridsvc_app"

STATEMENTS: list[Statement[Any]] = []  # every statement there is, so that one test can prepare them all


@dataclass(frozen=True, eq=False)
class Statement(Generic[Row]):
    """One SQL statement and the dataclass that its rows become.

    The column names of the statement are the field names of the row, in the same order
    (a test insists). `row=None` stands for a statement that returns nothing.
    """

    row: type[Row]
    sql: str

    def __post_init__(self) -> None:
        STATEMENTS.append(self)

    async def run(self, conn: Conn, *args: object) -> int:
        """Run for the effect; return how many rows it touched."""
        tag = await conn.execute(self.sql, *args)
        last = tag.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def all(self, conn: Conn, *args: object) -> list[Row]:
        """Every row, in the statement's order."""
        return [self.row(**dict(record)) for record in await conn.fetch(self.sql, *args)]

    async def one(self, conn: Conn, *args: object) -> Row | None:
        """The first row, or None where there is none."""
        record = await conn.fetchrow(self.sql, *args)
        return None if record is None else self.row(**dict(record))

    def columns(self) -> list[str]:
        """The columns that the row type expects; empty for a statement without rows."""
        return [] if self.row is Nothing else [field.name for field in fields(self.row)]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Nothing:
    """The row of a statement that returns none."""


@dataclass(frozen=True)
class _Moment:
    now: datetime


_CITY_NOW = Statement(_Moment, "SELECT city_now() AS now")

_ENTER = Statement(
    _Moment,
    """
    SELECT city_now() AS now
      FROM set_config('gridsvc.scope', $1::text, true)
    """,
)


async def city_now(conn: Conn) -> datetime:
    """The moment by the database's clock (aware, UTC): the only clock of a decision."""
    row = await _CITY_NOW.one(conn)
    assert row is not None  # noqa: S101 - one row by construction
    return row.now


@asynccontextmanager
async def transaction(
    pool: ConnPool, scope: str | Sequence[str] = SERVICE, *, snapshot: bool = False
) -> AsyncIterator[tuple[Conn, datetime]]:
    """One transaction under a scope: yields the connection and the moment it began.

    `scope` is SERVICE, or the caller's scope keys; row-level security shows nothing beyond it.
    `snapshot`: every statement sees the same moment, and nothing may be written.
    Commits at the end, rolls back on any exception, cancellation included.
    """
    keys = scope if isinstance(scope, str) else ",".join(scope)
    isolation: Literal["read_committed", "repeatable_read"] = "repeatable_read" if snapshot else "read_committed"
    async with (
        pool.acquire(timeout=ACQUIRE_SECONDS) as conn,
        conn.transaction(isolation=isolation, readonly=snapshot),
    ):
        row = await _ENTER.one(conn, keys)
        assert row is not None  # noqa: S101 - one row by construction
        yield conn, row.now


async def act_for(conn: Conn, keys: Sequence[str]) -> None:
    """From here on this transaction, or this savepoint, sees what these scope keys open, and no more."""
    await _ENTER.one(conn, ",".join(keys))


_WIDEN = Statement(
    _Moment,
    """
    SELECT city_now() AS now
      FROM set_config('gridsvc.scope', '*', true)
    """,
)


async def act_as_service(conn: Conn) -> None:
    """From here on this transaction works as the service.

    For a story that has looked and decided under the caller's scope: what it writes may take the
    case out of the caller's sight (a department gives it back), which row-level security would refuse.
    """
    await _WIDEN.one(conn)


DATABASE_AWAY: Final[tuple[type[Exception], ...]] = (
    OSError,  # refused, reset, timed out
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # stopped by the administrator, crashed, or a statement out of time
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.InterfaceError,  # the pool is closing, the connection was closed under us
    asyncpg.InternalClientError,  # seen after a kill -9 of the server: the protocol's state is lost
)
"""All that a lost or restarting PostgreSQL makes asyncpg raise."""

ACQUIRE_SECONDS: Final = 10.0  # longer than any healthy transaction; beyond it a 503 is the honest answer
STATEMENT_SECONDS: Final = 30.0  # on the server; the client gives up a little later, so the server speaks first


async def _leave_as_it_is(conn: Conn) -> None:
    """What `transaction` sets ends with it, so asking the server to forget would be a round trip for nothing.

    asyncpg itself still rolls back a transaction that was left open.
    """


# Without it a statement that is cancelled while PostGIS is still new to its backend can end the whole server
# (docs/decisions/0261): the first touch of a flag allocates memory, and must not be the signal's.
_MEET_POSTGIS: Final = (
    "SELECT ST_AsMVTGeom('POLYGON((0 0, 0 8, 8 8, 8 0, 0 0))'::geometry, 'BOX(0 0, 8 8)'::box2d) IS NOT NULL"
)


async def teach_types(conn: Conn) -> None:
    """Teach one connection our types: geometry as shapely (EWKB, keeps the SRID), json as Python values."""
    await conn.execute(_MEET_POSTGIS)
    await conn.set_type_codec(
        "geometry", encoder=_geometry_out, decoder=shapely.from_wkb, format="binary", schema="public"
    )
    for name in ("json", "jsonb"):
        await conn.set_type_codec(name, encoder=_json_out, decoder=json.loads, schema="pg_catalog")


def _geometry_out(shape: shapely.Geometry) -> bytes:
    if shapely.get_srid(shape) == 0:
        shape = shapely.set_srid(shape, 4326)
    return shapely.to_wkb(shape, include_srid=True)


def _json_out(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@asynccontextmanager
async def open_pool(
    url: str,
    *,
    size: int = 8,
    scope: str = "",
    name: str = "gridsvc",
    role: str | None = APPLICATION_ROLE,
    plan_once: bool = False,
    by_index: bool = False,
    least: int = 2,
    statement_s: float = STATEMENT_SECONDS,
) -> AsyncIterator[ConnPool]:
    """Open a pool of `size` connections that work as the application role.

    `scope` is what a connection sees outside `transaction()`: nothing by default, SERVICE for workers.
    `role=None` keeps the login's own role (migrations, test set-up). `plan_once`: a statement is planned for any
    parameters once, which suits batches of any size and ill suits optional filters. `by_index`: tables are
    read by an index wherever there is one. `least` connections are opened at once, the rest when they are wanted;
    `statement_s` is how long the server lets a statement run. Raises BadSettings without a `url`.
    """
    if not url:
        raise BadSettings("no database is named; set GRIDSVC_DATABASE_URL, or run in the folder of a `gridsvc up`")
    settings = {
        "application_name": name,
        "gridsvc.scope": scope,
        "statement_timeout": f"{statement_s * 1000:.0f}",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        "jit": "off",  # compiling costs more than our short statements take
    }
    if role is not None:
        settings["role"] = role
    if plan_once:
        settings["plan_cache_mode"] = "force_generic_plan"
    if by_index:
        # A plan made while a table was small is kept while it grows, the plans of foreign key checks among
        # them: on a new city each insert came to read all cases (63 million rows read for 3,600 reports, measured).
        settings["enable_seqscan"] = "off"
    async with asyncpg.create_pool(
        url,
        min_size=min(least, size),
        max_size=size,
        init=teach_types,
        reset=_leave_as_it_is,
        server_settings=settings,
        command_timeout=statement_s + 5,
        timeout=10,
    ) as pool:
        yield pool
