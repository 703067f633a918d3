"""What every test can ask for: servers, databases, the city's clock, the sample data, a watched event loop."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import inspect
import io
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import pytest
import uvloop
from hypothesis import settings

from gridsvc.db import SERVICE, Conn, ConnPool, open_pool
from tests.servers import FreshDatabase, SessionServers
from tests.watchman import Watchman

ROOT = Path(__file__).parents[1]

# What the event loop was told about failures that nobody awaited, during the test that runs now.
_unseen: list[dict[str, Any]] = []

# The loops of this session, so that a test that waits for ever can say for what.
_loops: list[asyncio.AbstractEventLoop] = []


# Machines are noisy: a test is never judged by how long it took.
settings.register_profile("gridsvc", deadline=None)
settings.load_profile("gridsvc")

# --- the session ------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--loop",
        choices=["uvloop", "debug"],
        default="uvloop",
        help="run asynchronous tests on uvloop, or on asyncio's own loop in debug mode",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Settings of the person who runs the tests are not the tests'.
    for name in [n for n in os.environ if n.startswith("GRIDSVC_") and n != "GRIDSVC_SAMPLE_DATA"]:
        del os.environ[name]
    # A run that is told to end takes its servers with it, as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        descriptor, os.environ[_WAITED] = tempfile.mkstemp(prefix="waited-for-ever-")
        os.close(descriptor)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What a test waited for that ended its process comes last, where somebody sees it."""
    if hasattr(config, "workerinput"):
        return
    waited = Path(os.environ[_WAITED])
    if said := waited.read_text(encoding="utf-8"):
        terminalreporter.section("waited for ever")
        terminalreporter.write_line(said)
    waited.unlink()


_WAITED: Final = "TESTS_WAITED_FOR_EVER"  # names the file that says so, for every process of this run


# Of the tests of stories and of HTTP, those behind which tasks of our own run: workers, desks, the board of notices,
# what two ask for at once. The others only wait for the database, one statement after another.
_WITH_TASKS: Final = frozenset(
    {
        "test_assign_case.py", "test_escalate_case.py", "test_file_report.py", "test_reconcile.py", "test_sweep.py",
        "test_workers.py", "test_cameras.py",
        "test_attachments.py", "test_auth.py", "test_bulk.py", "test_camera_devices.py", "test_camera_events.py",
        "test_idempotency.py", "test_notices.py", "test_reports.py",
    }
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In debug mode only what runs on a loop, and has tasks: all others would run twice for nothing."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(1200))
    if config.getoption("--loop") == "debug":
        chosen = [item for item in items if _has_tasks(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


def _has_tasks(item: pytest.Item) -> bool:
    if not inspect.iscoroutinefunction(getattr(item, "function", None)):
        return False
    return item.path.parent.name not in {"api", "stories"} or item.path.name in _WITH_TASKS


def pytest_collection_finish(session: pytest.Session) -> None:
    # What is loaded by now stays: looking for lost tasks after each test is then quick (1 ms, not 60).
    gc.collect()
    gc.freeze()


# --- the event loop ---------------------------------------------------------------------------------


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    name: Literal["uvloop", "debug"] = config.getoption("--loop")
    return {name: _uvloop if name == "uvloop" else _debug_loop}


def _uvloop() -> asyncio.AbstractEventLoop:
    return _watched(uvloop.new_event_loop())


def _debug_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.SelectorEventLoop()
    loop.set_debug(True)
    return _watched(loop)


def _watched(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    loop.set_exception_handler(lambda _, context: _unseen.append(context))
    _loops.append(loop)
    return loop


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """A test that waits for ever ends its process, and says for what: uvloop lets no signal end one test alone."""
    timer = threading.Timer(settings.timeout, _give_up, (item, settings.timeout))
    timer.daemon = True
    timer.start()
    item.stash[_TIMER] = timer
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    if _TIMER in item.stash:  # a test that could not even be made had none, and its own error is what is to be seen
        item.stash[_TIMER].cancel()
    return True


_TIMER: Final = pytest.StashKey[threading.Timer]()


def _give_up(item: pytest.Item, seconds: float) -> None:
    said = f"\n{item.nodeid} has not ended after {seconds:.0f} s. Its tasks wait here:\n{_what_is_awaited()}"
    if capture := item.config.pluginmanager.getplugin("capturemanager"):
        capture.suspend_global_capture(in_=True)
    Path(os.environ[_WAITED]).write_text(said, encoding="utf-8")
    sys.__stderr__.write(said)  # type: ignore[union-attr]
    faulthandler.dump_traceback(all_threads=True)
    sys.__stderr__.flush()  # type: ignore[union-attr]
    os._exit(1)


def _what_is_awaited() -> str:
    """Every task that has not ended, and the lines where it and what it awaits stand."""
    report = io.StringIO()
    for task in [task for loop in _loops if not loop.is_closed() for task in asyncio.all_tasks(loop)]:
        report.write(f"{task.get_name()}\n")
        awaited: Any = task.get_coro()
        while awaited is not None:
            frame = next((f for f in map(awaited.__getattribute__, _FRAMES & set(dir(awaited))) if f), None)
            report.write(f"    {frame.f_code.co_filename}:{frame.f_lineno}\n" if frame else f"    {awaited!r}\n")
            awaited = next(map(awaited.__getattribute__, _AWAITED & set(dir(awaited))), None)
    return report.getvalue()


_FRAMES: Final = frozenset({"cr_frame", "gi_frame", "ag_frame"})
_AWAITED: Final = frozenset({"cr_await", "gi_yieldfrom", "ag_await"})


@pytest.fixture(autouse=True)
def nothing_dies_unseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which a task or callback died and nobody looked."""
    _unseen.clear()
    yield
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        gc.collect()  # a task speaks up when it is collected
        gc.freeze()  # what is left belongs to the session; without this each test looks at more of it
    if _unseen:
        died = "\n".join(str(context) for context in _unseen)
        _unseen.clear()
        pytest.fail(f"died unseen during this test:\n{died}")


@pytest.fixture(scope="session", autouse=True)
def nothing_outlives_us(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """If this process is killed, what its tests started in their own folders ends too; the folders stay, to be read."""
    watchman = Watchman(tmp_path_factory.getbasetemp(), remove=False)
    yield
    watchman.dismiss()


# --- PostgreSQL -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def session_servers() -> Iterator[SessionServers]:
    """The servers of this session; nothing is started before it is needed."""
    servers = SessionServers()
    yield servers
    servers.close()


@pytest.fixture
def fresh_database(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    """A database of this test's own: migrated, empty, its clock can be shifted; dropped afterwards."""
    fresh = session_servers.fresh_database()
    yield fresh
    session_servers.drop_database(fresh)


@pytest.fixture
def database(fresh_database: FreshDatabase) -> str:
    """URL of a database of this test's own, for the service's login."""
    return fresh_database.url


@pytest.fixture
def owner_database(fresh_database: FreshDatabase) -> str:
    """URL of the same database as `database`, for the login that owns it."""
    return fresh_database.owner_url


@pytest.fixture
async def pool(database: str) -> AsyncIterator[ConnPool]:
    """A pool on the test's own database that works as the application role, in the service's scope."""
    async with open_pool(database, scope=SERVICE, size=8, name="test") as opened:
        yield opened


@pytest.fixture(scope="session")
def _shared_database(session_servers: SessionServers) -> str:
    return session_servers.fresh_database().url


@pytest.fixture(scope="session")
async def _shared_pool(_shared_database: str) -> AsyncIterator[ConnPool]:
    async with open_pool(_shared_database, scope=SERVICE, size=2, name="test") as opened:
        yield opened


@pytest.fixture
async def conn(_shared_pool: ConnPool) -> AsyncIterator[Conn]:
    """A connection in the service's scope inside a transaction that is rolled back: nothing stays."""
    async with _shared_pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


class CityClock:
    """The clock of one test's database."""

    def __init__(self, owner_url: str) -> None:
        self._owner_url = owner_url

    async def forward(self, by: timedelta) -> None:
        """Let the city's time jump ahead by `by` (back, if negative), for every process at once."""
        owner = await asyncpg.connect(self._owner_url, timeout=10)
        try:
            await owner.execute("UPDATE instance SET time_shift = time_shift + $1", by)
        finally:
            await owner.close()


@pytest.fixture
def city_clock(owner_database: str) -> CityClock:
    """The clock of the database that `database` and `pool` use."""
    return CityClock(owner_database)


# --- RabbitMQ ---------------------------------------------------------------------------------------


@pytest.fixture
def amqp_url(session_servers: SessionServers) -> Iterator[str]:
    """URL of a virtual host of this test's own; deleted afterwards."""
    url = session_servers.fresh_vhost()
    yield url
    session_servers.drop_vhost(url)


# --- sample data ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder of real data; without it the test is skipped, and fails if GRIDSVC_SAMPLE_DATA names one."""
    folder = Path(os.environ.get("GRIDSVC_SAMPLE_DATA") or ROOT.parent / "shared/data")
    if not folder.is_dir():
        pytest.skip(f"needs the sample data: set GRIDSVC_SAMPLE_DATA to its folder ({folder} is none)")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    data_test = "sample_data" in getattr(item, "fixturenames", ())
    if data_test and report.skipped and os.environ.get("GRIDSVC_SAMPLE_DATA"):
        report.outcome = "failed"
        report.longrepr = f"GRIDSVC_SAMPLE_DATA is set, so no data test may be skipped: {report.longrepr}"
    return report
