"""`gridsvc serve`: the web process."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from gridsvc.api.app import serve
from gridsvc.errors import BadSettings, CannotStart
from gridsvc.logs import start_logging
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example:
  GRIDSVC_DATABASE_URL=postgresql://… GRIDSVC_SECRET_FILE=/run/secrets/token_key gridsvc serve

Where it listens: GRIDSVC_HTTP_HOST and GRIDSVC_HTTP_PORT (docs/settings.md). Stops on SIGTERM or Ctrl-C
when the requests that are being answered are done, within 10 s."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "serve", help="the web process", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reuse-port", action="store_true", help="several web processes share the port")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to stop; 0. Raises BadSettings, or CannotStart when port or database cannot be had."""
    start_logging(settings.logs.level)
    if not settings.database.url:
        raise BadSettings("GRIDSVC_DATABASE_URL is not set; want the address of the city's database, or gridsvc up")
    try:
        await serve(settings, reuse_port=arguments.reuse_port)
    except OSError as error:
        where = f"{settings.http.host}:{settings.http.port}"
        raise CannotStart(f"cannot serve on {where}: {error.strerror or error}") from error
    return 0
