"""`gridsvc replay`: rows of a service-request file become reports, through the same door as everybody's."""

from __future__ import annotations

import argparse
import csv
import getpass
import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tqdm import tqdm

from geo.datum import Datum
from gridsvc.errors import SetupError
from gridsvc.local.replay import Outcome, Replay
from gridsvc.local.replay_rows import Reading, read_columns, read_rows
from gridsvc.local.service_client import Login, ServiceClient, Token, Who
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: three days of Los Angeles into a grid made of its police divisions (docs/replay.md has the whole way)
  gridsvc replay la_myla311_2020-01-01_2020-01-03.csv.gz \\
      --map id=srnumber,lon=longitude,lat=latitude,occurred=createddate,category=requesttype,address=address \\
      --zone America/Los_Angeles --category 200110 --truth policeprecinct \\
      --key-file replay.key --least-agreement 99.8

A row's idempotency key is made from its own id: a file sent twice is a file sent once.
Rows without coordinates are counted and not sent. Exit code 0: every row with coordinates is acknowledged, or,
with --least-agreement, so many agree (a refused row does not agree); 1: not so, or the service stayed away;
2: the command was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "replay",
        help="rows of a service-request file become reports",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    give = parser.add_argument
    give("file", type=Path, metavar="FILE", help="CSV with a header, .csv or .csv.gz, UTF-8")
    give(
        "--map",
        required=True,
        metavar="FIELD=COLUMN,…",
        help="fields: id lon lat occurred category description address",
    )
    give(
        "--zone", type=_zone, default=ZoneInfo("Asia/Shanghai"), help="of times without offset (default: Asia/Shanghai)"
    )
    give("--datum", type=Datum, choices=list(Datum), default=Datum.WGS84, help="of the coordinates (default: wgs84)")
    give("--category", metavar="CODE", help="of rows whose own category the mapping does not know")
    give("--categories", type=Path, metavar="FILE.csv", help="mapping, two columns with header: theirs,ours")
    give("--truth", metavar="COLUMN", help="the row's own area, compared with cell and divisions by code or name")
    give(
        "--least-agreement",
        type=_share,
        metavar="PERCENT",
        help="exit 0 when at least so many rows agree, 1 when fewer do",
    )
    give("--speed", type=_speed, default=None, metavar="max|N", help="N times as fast as it happened (default: max)")
    give("--at-once", type=int, choices=range(1, 257), default=32, metavar="N", help="requests under way (default: 32)")
    give("--limit", type=int, metavar="N", help="only the first N rows")
    give("--url", help="address of the service (default: this home's own, else GRIDSVC_HTTP_PORT on this machine)")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--key-file", type=Path, help="file with an API key (gsk_…); scopes reports:write and grid:read")
    who.add_argument("--token-file", type=Path, help="file with an access token")
    who.add_argument("--user", help="user name; the password is asked for, or read from --password-file")
    give("--password-file", type=Path, help="file with the password of --user")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(f"{name!r} is no IANA zone such as America/Los_Angeles") from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero; want max or a number")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is no percentage")
    return value


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Send the file; the exit code."""
    reading = Reading(
        columns=read_columns(arguments.map),
        zone=arguments.zone,
        datum=str(arguments.datum),
        categories=_mapping(arguments.categories) if arguments.categories else {},
        otherwise=arguments.category,
        truth=arguments.truth,
    )
    if arguments.category is None and not reading.categories:
        raise SetupError("neither --category nor --categories says which of our categories the rows are")
    total = _count_lines(arguments.file) if arguments.limit is None else arguments.limit
    url = arguments.url or settings.http.public_url or f"http://127.0.0.1:{settings.http.port}"
    with tqdm(total=total, unit=" rows", disable=None) as bar:

        def told(outcome: Outcome) -> None:
            bar.update(outcome.rows - bar.n)

        async with ServiceClient(url, patience_s=60.0, connections=arguments.at_once) as client:
            replay = Replay(client, _who(arguments), reading, told)
            rows = read_rows(arguments.file, reading, arguments.limit)
            outcome = await replay.run(rows, speed=arguments.speed, at_once=arguments.at_once)
    print(summary(outcome))
    return exit_code(outcome, arguments.least_agreement)


def exit_code(outcome: Outcome, least_percent: float | None) -> int:
    """0 or 1. With a least agreement it alone decides, since a refused row counts there as one that does not agree."""
    if least_percent is not None:
        return 0 if outcome.agreement is not None and outcome.agreement * 100 >= least_percent else 1
    unread = outcome.skipped.total() - outcome.skipped["no_coordinates"]
    return 1 if outcome.refused or unread else 0


def summary(outcome: Outcome) -> str:
    """What became of the file, a line per kind of thing, with the first lines of each trouble."""
    lines = [
        f"rows       {outcome.rows}",
        f"filed      {outcome.filed} new, {outcome.known} known from before",
        f"not sent   {outcome.skipped.total()}{_reasons(outcome.skipped.items())}",
        f"refused    {outcome.refused.total()}{_reasons(outcome.refused.items())}",
    ]
    lines += [f"             {reason}, {text}" for reason, texts in sorted(outcome.examples.items()) for text in texts]
    if outcome.times:
        lines.append(
            f"clock      {_reasons(outcome.times.items()).strip(' ()')} local times, taken as docs/replay.md says"
        )
    if outcome.agreement is not None:
        lines.append(
            f"agreement  {outcome.agreement:.2%}: {outcome.agreed} of {outcome.judged} "
            "rows with coordinates that name their area"
        )
        lines += [
            f"             row says {theirs}, we say {ours}: {n}" for (theirs, ours), n in outcome.apart.most_common(10)
        ]
    return "\n".join(lines)


def _reasons(counts: Iterable[tuple[str, int]]) -> str:
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(counts))
    return f" ({told})" if told else ""


def _mapping(path: Path) -> dict[str, str]:
    """The file's words, without regard to case, to our codes. Raises SetupError naming the line at fault."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text)
            if not {"theirs", "ours"} <= set(table.fieldnames or ()):
                raise SetupError(f"{path}: want a header with the columns theirs and ours")
            found = {}
            for line in table:
                theirs, ours = (line["theirs"] or "").strip(), (line["ours"] or "").strip()
                if not theirs or not ours:
                    raise SetupError(f"{path}, line {table.line_num}: want a word of theirs and a code of ours")
                found[theirs.casefold()] = ours
            return found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SetupError(f"{path} cannot be read as a CSV file of UTF-8 text: {error}") from error


def _count_lines(path: Path) -> int | None:
    """About how many rows there are, for the progress bar; None where the file cannot be read."""
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as content:
            return max(0, sum(1 for _ in content) - 1)
    except (OSError, EOFError):
        return None


def _who(arguments: argparse.Namespace) -> Who:
    if arguments.key_file:
        return Token("X-API-Key", _secret(arguments.key_file))
    if arguments.token_file:
        return Token("Authorization", f"Bearer {_secret(arguments.token_file)}")
    if arguments.password_file:
        return Login(arguments.user, _secret(arguments.password_file))
    return Login(arguments.user, getpass.getpass(f"password of {arguments.user}: "))


def _secret(path: Path) -> str:
    """A secret from a file: on the command line every user of the machine could read it."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
