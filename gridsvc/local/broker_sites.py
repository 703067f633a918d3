"""Sites that publish over MQTT become users of the broker: of the private one at once, of another by a document."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from events.broker_users import SALT_BYTES, definitions, hashed
from gridsvc.local.credentials import settle_credentials
from gridsvc.local.home import Home
from gridsvc.local.ports import settle
from gridsvc.local.rabbitmq import RabbitMQ
from gridsvc.settings import Settings


@dataclass(frozen=True, repr=False)
class Password:
    """A fresh one: what is told once, and what is kept. No repr: it is a secret."""

    text: str
    digest: str


def make_password() -> Password:
    """192 bits of chance."""
    text = secrets.token_urlsafe(24)
    return Password(text, hashed(text, secrets.token_bytes(SALT_BYTES)))


def document(users: Sequence[tuple[str, str]], amqp_url: str) -> str:
    """What `rabbitmqctl import_definitions` takes to make these users on the virtual host of `amqp_url`."""
    vhost = unquote(urlsplit(amqp_url).path.removeprefix("/")) or "/"
    return json.dumps(definitions(users, vhost), indent=1)


def private_broker(settings: Settings) -> RabbitMQ | None:
    """The broker that `gridsvc up` runs in this home, where it is the one that the settings mean."""
    home = Home(settings.instance.home.absolute())
    if not (home.secrets.exists() and home.ports.exists() and home.rabbitmq.exists()):
        return None
    ports = settle(home.ports, _nobody, needed=())
    rabbitmq = RabbitMQ(home, ports, settle_credentials(home.secrets), _nobody)
    return rabbitmq if rabbitmq.url == settings.broker.url else None


def tell_broker(broker: RabbitMQ, users: Sequence[tuple[str, str]]) -> None:
    """Make these users in the private broker, or bring them to what is said here. Raises CannotStart."""
    if users:
        broker.control("import_definitions", given=document(users, broker.url).encode())


def _nobody(_: str) -> None:
    """There is no terminal to tell."""
