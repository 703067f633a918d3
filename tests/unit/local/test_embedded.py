"""Commands find the servers of their home, and never instead of servers that are named."""

from __future__ import annotations

from pathlib import Path

from gridsvc.local.credentials import settle_credentials
from gridsvc.local.embedded import with_embedded_servers
from gridsvc.local.home import open_home
from gridsvc.local.ports import settle
from gridsvc.settings import read_settings


def a_home(path: Path) -> Path:
    """A home as `gridsvc up` leaves it, without the data."""
    home = open_home(path)
    settle_credentials(home.secrets)
    settle(home.ports, print, needed=())
    home.postgres.mkdir()
    return home.path


def test_a_home_without_servers_changes_nothing(tmp_path: Path) -> None:
    settings = read_settings({"GRIDSVC_HOME": str(tmp_path)})
    assert with_embedded_servers(settings) == settings


def test_a_database_that_is_named_is_the_one_that_is_used(tmp_path: Path) -> None:
    named = {"GRIDSVC_HOME": str(a_home(tmp_path)), "GRIDSVC_DATABASE_URL": "postgresql://elsewhere/city"}
    settings = read_settings(named)
    assert with_embedded_servers(settings) == settings


def test_the_home_s_own_servers_ports_and_secret_are_found(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    found = with_embedded_servers(read_settings({"GRIDSVC_HOME": str(home)}))
    ports, credentials = settle(home / "ports.json", print, needed=()), settle_credentials(home / "secrets.json")
    assert found.database.url.endswith(f"@127.0.0.1:{ports.postgres}/gridsvc")
    assert credentials.service_password in found.database.url
    assert credentials.owner_password in found.database.owner
    assert f"@127.0.0.1:{ports.amqp}/" in found.broker.url
    assert found.identity.secret == credentials.token_key
    assert found.http.port == ports.web
    assert found.files.directory == home / "files"
