"""Real requests of Los Angeles go through the HTTP API, by the very lines that docs/replay.md gives."""

from __future__ import annotations

import gzip
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.live_service import LiveService
from tests.servers import FreshDatabase, SessionServers

ROWS = 1_500
REQUESTS = "la_myla311_2020-01-01_2020-01-03.csv.gz"
DIVISIONS = "lapd_divisions.geojson"
DOCUMENT = Path(__file__).parents[2] / "docs/replay.md"


@dataclass(frozen=True)
class LosAngeles:
    """A service into which the lines of the document have just been played."""

    service: LiveService
    database: FreshDatabase
    played: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def los_angeles(
    session_servers: SessionServers, sample_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LosAngeles]:
    database, vhost = session_servers.fresh_database(), session_servers.fresh_vhost()
    with LiveService(tmp_path_factory.mktemp("home"), database, vhost) as live:
        put_sample(sample_data, live.home)
        yield LosAngeles(live, database, run_lines(live, lines_of_the_document()))
    session_servers.drop_vhost(vhost)
    session_servers.drop_database(database)


def lines_of_the_document() -> str:
    block = re.search(r"<!-- tested: .*?-->\n```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


def run_lines(service: LiveService, lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of a shell where `gridsvc` is the one under test, in the service's home."""
    gridsvc = f'set -eu\ngridsvc() {{ {shlex.quote(sys.executable)} -m gridsvc "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", gridsvc + lines], cwd=service.home, env=service.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def put_sample(sample_data: Path, home: Path) -> None:
    """The divisions whole, and the first rows of the requests, those without coordinates among them."""
    (home / DIVISIONS).write_bytes((sample_data / "boundaries" / DIVISIONS).read_bytes())
    with gzip.open(sample_data / "requests" / REQUESTS, "rb") as packed:
        header, *rows = packed.readlines()
    # Rows 3 200 on hold the first three without coordinates.
    some = rows[3_200 : 3_200 + ROWS]
    (home / REQUESTS).write_bytes(gzip.compress(b"".join([header, *some])))


async def counts(where: LosAngeles) -> tuple[int, int]:
    """How many reports and how many cases there are."""
    owner = await asyncpg.connect(where.database.owner_url, timeout=10)
    try:
        row = await owner.fetchrow(
            "SELECT (SELECT count(*) FROM reports) AS reports, (SELECT count(*) FROM cases) AS cases"
        )
    finally:
        await owner.close()
    assert row is not None
    return row["reports"], row["cases"]


@pytest.mark.slow
async def test_real_requests_find_the_area_that_they_name(los_angeles: LosAngeles, sample_data: Path) -> None:
    played = los_angeles.played
    assert played.returncode == 0, played.stdout + played.stderr
    said = re.search(r"filed +(\d+) new, 0 known", played.stdout)
    agreed = re.search(r"agreement +([\d.]+)%: (\d+) of (\d+)", played.stdout)
    without = re.search(r"no_coordinates (\d+)", played.stdout)
    assert said is not None, played.stdout
    assert agreed is not None, played.stdout
    assert without is not None, played.stdout
    assert float(agreed[1]) >= 99.8
    assert int(without[1]) >= 3
    assert int(agreed[3]) == ROWS - int(without[1])
    assert await counts(los_angeles) == (int(said[1]), int(said[1]))


@pytest.mark.slow
async def test_a_file_sent_twice_is_a_file_sent_once(los_angeles: LosAngeles, sample_data: Path) -> None:
    before = await counts(los_angeles)
    lines = lines_of_the_document()
    again = run_lines(los_angeles.service, lines[lines.index("gridsvc replay") :])
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"filed +0 new, \d{4} known from before", again.stdout), again.stdout
    assert await counts(los_angeles) == before


@pytest.mark.slow
async def test_what_cannot_be_sent_and_what_is_refused_is_counted_by_reason(
    los_angeles: LosAngeles, sample_data: Path
) -> None:
    home = los_angeles.service.home
    (home / "mapping.csv").write_text("theirs,ours\nTrash,200110\nGhost,999999\n", encoding="utf-8")
    (home / "rows.csv").write_text("\n".join(ODD_ROWS) + "\n", encoding="utf-8")
    done = run_lines(
        los_angeles.service,
        "gridsvc replay rows.csv --map id=id,lon=lon,lat=lat,occurred=at,category=what --truth area"
        " --categories mapping.csv --zone America/Los_Angeles --key-file replay.key",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "rows       9" in done.stdout
    assert "filed      3 new, 0 known" in done.stdout
    assert "not sent   3 (bad_time 1, no_coordinates 1, unknown_category 1)" in done.stdout
    assert "refused    3 (bad_location 1, outside_the_grid 1, unknown_category 1)" in done.stdout
    assert "ambiguous 1 local times" in done.stdout
    assert "agreement  40.00%: 2 of 5" in done.stdout


ODD_ROWS = (
    "id,lon,lat,at,what,area",
    "odd-1,-118.4995,34.1940,2020-01-01 10:00:00,trash,West  Valley",
    "odd-2,-118.4995,34.1940,2020-01-01 10:00:00,trash,MISSION",
    "odd-3,,,2020-01-01 10:00:00,trash,MISSION",
    "odd-4,-118.4995,34.1940,yesterday,trash,MISSION",
    "odd-5,-118.4995,34.1940,2020-01-01 10:00:00,bees,MISSION",
    "odd-6,-118.4468,34.2928,2020-01-01 10:00:00,trash,MISSION",  # San Fernando, a hole in the divisions
    "odd-7,-118.4995,34.1940,2020-01-01 10:00:00,ghost,WEST VALLEY",
    "odd-8,34.1940,-118.4995,2020-01-01 10:00:00,trash,",
    "odd-9,-118.4995,34.1940,2020-11-01 01:30:00,trash,10",  # the division by its code, at an hour that came twice
)
