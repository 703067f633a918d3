"""A test process that is killed takes its servers with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gridsvc.local.processes import LINUX
from tests.integration.patiently import until
from tests.watchman import ROOT, working_below

_SESSION = """
import sys
from tests.servers import SessionServers
servers = SessionServers()
servers.fresh_database()
servers.fresh_vhost()
print(servers.home, flush=True)
sys.stdin.read()
"""


async def test_servers_of_a_killed_session_end_and_their_folder_goes() -> None:
    session = subprocess.Popen(  # noqa: ASYNC220 - it is awaited by its one line
        [sys.executable, "-c", _SESSION], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert session.stdout is not None
    home = Path(session.stdout.readline().strip())
    if LINUX:
        assert len(working_below(home)) >= 3, "PostgreSQL, RabbitMQ and its port mapper"
    os.kill(session.pid, signal.SIGKILL)
    session.communicate()

    async def gone() -> bool:
        return not working_below(home) and not home.exists()  # noqa: ASYNC240 - a look

    await until(gone, what="the servers of the killed session to end")
