"""Users of the broker for sites that publish over MQTT, as RabbitMQ's own import of definitions takes them. Pure.

Each may write and read below the topic of its name alone, and keeps its queues by a client id that begins with it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from events.topology import DEVICES

SALT_BYTES: Final = 4  # RabbitMQ's own form; a password of 192 random bits needs no more

_HASHING: Final = "rabbit_password_hashing_sha256"


def hashed(password: str, salt: bytes) -> str:
    """A password as RabbitMQ keeps it. `salt` is SALT_BYTES of chance."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode("ascii")


def definitions(users: Iterable[tuple[str, str]], vhost: str) -> Mapping[str, Any]:
    """The document that makes these users, by name and hash of the password, or brings them to what is said here.

    A user without a rule for topics could write to all of them, so each has one.
    """
    named = list(users)
    return {
        "users": [
            {"name": name, "password_hash": digest, "hashing_algorithm": _HASHING, "tags": ""}
            for name, digest in named
        ],
        "permissions": [{"user": name, "vhost": vhost, **_permissions(name)} for name, _ in named],
        "topic_permissions": [
            {"user": name, "vhost": vhost, "exchange": DEVICES, "write": rf"^{name}\.", "read": rf"^{name}\."}
            for name, _ in named
        ],
    }


def _permissions(name: str) -> dict[str, str]:
    """A site subscribes, too: Frigate takes orders below its own topic. Its queues are named by its client id."""
    queues = rf"mqtt-subscription-{name}(\..+)?qos[01]"
    both = f"^({queues}|{re.escape(DEVICES)})$"
    return {"configure": f"^{queues}$", "write": both, "read": both}
