"""How a command finds the private servers that `gridsvc up` made in this home."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gridsvc.local.credentials import settle_credentials
from gridsvc.local.home import Home
from gridsvc.local.ports import settle
from gridsvc.local.postgres import Postgres
from gridsvc.local.rabbitmq import RabbitMQ
from gridsvc.settings import FileSettings, HttpSettings, Settings

_ANY_PORT: Final = HttpSettings().port


def with_embedded_servers(settings: Settings) -> Settings:
    """`settings` with the addresses and secrets of the home's own servers, where no other database is named.

    A home without servers changes nothing, nor does a database that is named: then everything else must be
    named too. Whether the servers run is found out by whoever calls them.
    """
    home = Home(settings.instance.home.absolute())
    if settings.database.url or not (home.secrets.exists() and home.ports.exists() and home.postgres.exists()):
        return settings
    credentials, ports = settle_credentials(home.secrets), settle(home.ports, _nobody, needed=())
    postgres = Postgres(home, ports.postgres, credentials, _nobody)
    rabbitmq = RabbitMQ(home, ports, credentials, _nobody)
    http, identity, files = settings.http, settings.identity, settings.files
    return replace(
        settings,
        database=replace(settings.database, url=postgres.service_url, owner_url=postgres.owner_url),
        broker=settings.broker if settings.broker.url else replace(settings.broker, url=rabbitmq.url),
        http=http if http.port != _ANY_PORT else replace(http, port=ports.web),
        identity=identity if identity.secret else replace(identity, secret=credentials.token_key),
        files=files if files != FileSettings() else replace(files, directory=home.path / "files"),
    )


def _nobody(_: str) -> None:
    """There is no terminal to tell."""
