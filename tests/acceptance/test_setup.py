"""One command: `gridsvc up` starts everything, keeps to the loopback address, stops whole, survives being killed."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from gridsvc.local.processes import lives
from tests.acceptance.supervised import ListenerWatch, Supervised, until
from tests.mqtt_client import SiteClient

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

READY_S = 60.0  # of a second start: 3 to 5 s, once more than 20 on a busy machine
FIRST_S = 60.0
STOPPED_S = 15.0

ROOT = Path(__file__).parents[2]
# Of one version, so that the packages of the first fit the second, which every user may run.
PYTHONS = [sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"]


def new_home(name: str) -> Path:
    parent = Path(tempfile.mkdtemp(prefix=f"gridsvc-{name}-"))
    parent.chmod(0o755)
    return parent / "home"


def remove_home(home: Path) -> None:
    database = home / "postgres"
    if database.exists():
        shutil.rmtree(database.resolve())
    shutil.rmtree(home.parent)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """An instance that has been up once and was stopped."""
    made = new_home("setup")
    with Supervised(made, "--no-demo") as first:
        first.await_ready(FIRST_S)
    yield made
    remove_home(made)


@pytest.mark.slow
def test_a_second_up_is_ready_soon_keeps_to_loopback_and_stops_whole(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Supervised(home, "--no-demo") as supervised, ListenerWatch(supervised) as watch:
        supervised.await_ready(READY_S)
        until(lambda: "workers" in supervised.recorded(), READY_S, "the workers' start")
        supervised.look()
        supervised.interrupt()
        began = time.monotonic()
        assert supervised.process.wait(STOPPED_S) == 0
        stopped_s = time.monotonic() - began
    assert [who for who in supervised.seen if lives(who)] == []
    assert supervised.listening() == []
    assert supervised.recorded() == set()
    assert watch.elsewhere == set()
    # The watch saw what there is to see: web, postgres, amqp, mqtt, distribution, port mapper.
    expected = {supervised.ports[name] for name in ("web", "postgres", "amqp", "mqtt", "distribution", "epmd")}
    assert expected <= {int(address.rpartition(":")[2], 16) for address in watch.loopback}
    with capsys.disabled():
        ready = next(line for line in supervised.said.splitlines() if line.startswith("ready after"))
        print(f"\n  second up: {ready}, stopped in {stopped_s:.1f} s, {watch.samples} samples of its listeners")


@pytest.mark.slow
def test_of_two_ups_on_one_home_the_second_is_refused(home: Path) -> None:
    with Supervised(home, "--no-demo") as first:
        until(lambda: "postgres" in first.recorded(), READY_S, "the first to have the home")
        with Supervised(home, "--no-demo") as second:
            assert second.process.wait(10) == 1
            assert f"process {first.process.pid}" in second.said
        first.await_ready(READY_S)
        first.interrupt()
        assert first.process.wait(STOPPED_S) == 0


@pytest.mark.slow
def test_after_kill_9_of_the_supervisor_the_next_up_says_so_ends_the_orphans_and_keeps_the_data(home: Path) -> None:
    with Supervised(home, "--no-demo") as killed:
        killed.await_ready(READY_S)
        write_city_name(home, "兰州")
        until(lambda: "workers" in killed.recorded(), READY_S, "the workers' start")
        killed.look()
        killed.process.kill()
        killed.process.wait()
        orphans = {name for name in killed.recorded() if name != "supervisor"}
        assert orphans == {"postgres", "rabbitmq", "epmd", "web", "workers"}

        with Supervised(home, "--no-demo") as next_up:
            next_up.await_ready(FIRST_S)
            assert f"the last run (process {killed.process.pid}) ended without stopping" in next_up.said
            assert [who for who in killed.seen if lives(who)] == []
            assert read_city_name(home) == "兰州"
            assert killed.ports == next_up.ports


@pytest.mark.slow
def test_what_is_killed_is_started_again(home: Path) -> None:
    with Supervised(home, "--no-demo") as supervised:
        supervised.await_ready(READY_S)
        for name in ("web", "postgres"):
            before = supervised.pid_of(name)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            gone = {None, before}
            until(lambda name=name, gone=gone: supervised.pid_of(name) not in gone, READY_S, f"{name} started again")  # type: ignore[misc]
        until(lambda: supervised.readyz() == 200, READY_S, "/readyz after both were killed")
        assert "web ended (killed by SIGKILL)" in supervised.said
        until(lambda: "postgres is up again" in supervised.said, READY_S, "word of it")


@pytest.mark.slow
def test_a_port_that_somebody_took_is_replaced_and_said(home: Path) -> None:
    with socket.socket() as taker:
        remembered = json.loads((home / "ports.json").read_text(encoding="utf-8"))["web"]
        taker.bind(("127.0.0.1", remembered))
        taker.listen()
        with Supervised(home, "--no-demo") as supervised:
            supervised.await_ready(READY_S)
            assert f"port {remembered} (web) is taken" in supervised.said
            assert supervised.ports["web"] != remembered


@pytest.mark.slow
def test_it_runs_as_a_normal_user_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("runs as a normal user already: the other tests here show it")
    nobody = pwd.getpwnam("nobody").pw_uid
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
    python = next((p for p in PYTHONS if may_run(p, nobody, path)), None)
    if python is None:
        pytest.skip(f"the user 'nobody' can run none of {', '.join(PYTHONS)} with the project's packages")
    home = new_home("nobody")
    os.chown(home.parent, nobody, nobody)
    env = path | {"HOME": str(home.parent)}
    try:
        with Supervised(home, "--no-demo", python=python, uid=nobody, env=env) as supervised:
            supervised.await_ready(FIRST_S)
            assert {entry.stat().st_uid for entry in home.rglob("*")} == {nobody}
            supervised.interrupt()
            assert supervised.process.wait(STOPPED_S) == 0
        assert supervised.listening() == []
    finally:
        remove_home(home)


@pytest.mark.slow
def test_a_site_publishes_as_soon_as_it_is_added_and_to_a_broker_that_lost_its_disk_after_the_next_start(
    home: Path,
) -> None:
    with Supervised(home, "--no-demo") as first:
        first.await_ready(READY_S)
        until(lambda: "workers" in first.recorded(), READY_S, "the broker, which the web does not wait for")
        asyncio.run(ask(home, CAMERA))
        added = subprocess.run(
            [sys.executable, "-m", "gridsvc", "cameras", "site", "add", "yard", "gate"],
            env=os.environ | {"GRIDSVC_HOME": str(home)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        yard = SiteClient(first.ports["mqtt"], "yard", added.stdout.split()[1], "yard")
        assert f"mqtt://127.0.0.1:{yard.port}" in added.stdout
        assert f"mqtt://127.0.0.1:{yard.port}" in first.said
        yard.publish_in_the_end([("yard/available", b"online")])
        first.interrupt()
        assert first.process.wait(STOPPED_S) == 0
    shutil.rmtree(home / "rabbitmq/mnesia")
    with Supervised(home, "--no-demo") as second:
        second.await_ready(READY_S)
        yard.publish_in_the_end([("yard/available", b"online")])
        heard = "SELECT messages FROM mqtt_sites WHERE messages > 0"
        until(lambda: asyncio.run(ask(home, heard)), READY_S, "its words to be taken in")


CAMERA = """
    INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, given_x, given_y,
                         given_frame, changed_at)
    VALUES ('gate', 'gate', ST_SetSRID(ST_MakePoint(103.8, 36.05), 4326), 6, 0, 60, 80, 'frigate', 103.8, 36.05,
            'wgs84', now())
    RETURNING code
"""


def may_run(python: str, uid: int, path: dict[str, str]) -> bool:
    """Whether this user may run this interpreter (root's own is often closed to others) with our packages."""
    command = [python, "-c", "import gridsvc.local.up"]
    try:
        return subprocess.run(command, user=uid, cwd="/", env=path, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def write_city_name(home: Path, name: str) -> None:
    asyncio.run(ask(home, "UPDATE instance SET city_name = $1 RETURNING city_name", name))


def read_city_name(home: Path) -> object:
    return asyncio.run(ask(home, "SELECT city_name FROM instance"))


async def ask(home: Path, statement: str, *values: object) -> object:
    """Ask the instance's database as its owner."""
    port = json.loads((home / "ports.json").read_text(encoding="utf-8"))["postgres"]
    password = json.loads((home / "secrets.json").read_text(encoding="utf-8"))["owner_password"]
    conn = await asyncpg.connect(f"postgresql://gridsvc:{password}@127.0.0.1:{port}/gridsvc", timeout=10)
    try:
        return await conn.fetchval(statement, *values)
    finally:
        await conn.close()
