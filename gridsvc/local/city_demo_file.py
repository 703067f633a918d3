"""`demo.json`: how to be each person of the demo city, for people who look at it and programs that test it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from gridsvc.domain.camera import Camera
from gridsvc.errors import CannotStart
from gridsvc.ids import new_id
from gridsvc.local.broker_sites import Password, make_password
from gridsvc.local.city_plan import City, Person, dice
from gridsvc.local.keep import write_private
from gridsvc.local.starter import CATEGORIES

FILE: Final = "demo.json"
KEPT: Final = "demo-secrets.json"
"""What was made with the city and stays: everything in demo.json but the address, which may change."""

_PLACES: Final = 24


@dataclass(frozen=True, repr=False)
class DemoKey:
    """An API key of the demo city: `gsk_<id>_<secret>`, of which the database keeps the secret's SHA-256."""

    id: UUID
    name: str
    secret: str
    scopes: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"gsk_{self.id.hex}_{self.secret}"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.secret.encode()).digest()


@dataclass(frozen=True, repr=False)
class DemoCamera:
    """The token that a demo camera posts with; the database keeps its SHA-256."""

    id: UUID
    protocol: str
    camera: str
    secret: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.secret.encode()).digest()


@dataclass(frozen=True, repr=False)
class DemoSite:
    """A site of the demo city that publishes over MQTT."""

    name: str
    password: Password
    cameras: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class DemoSecrets:
    """What lets one in: one password for all demo people, an id for each officer's tracker, keys of programs, tokens.

    One password, because a person who tries the city changes role every minute. It is random, and
    the demo city is only ever made in a database that `gridsvc up` has made itself.
    """

    password: str
    device_ids: dict[str, str]
    keys: tuple[DemoKey, ...]
    cameras: tuple[DemoCamera, ...] = ()
    signing: Mapping[str, str] = field(default_factory=dict)  # what a key's camera events are signed with, by its name
    sites: tuple[DemoSite, ...] = ()


def make_secrets(people: Sequence[Person], key_ids: Sequence[UUID], cameras: Sequence[Camera] = ()) -> DemoSecrets:
    """Fresh secrets; trackers for those who have shifts. `key_ids` become the ids of the demo keys."""
    return DemoSecrets(
        password=secrets.token_urlsafe(12),
        device_ids={person.username: secrets.token_urlsafe(16) for person in people if person.shifts},
        keys=tuple(
            DemoKey(key_id, name, secrets.token_urlsafe(32), scopes)
            for key_id, (name, scopes) in zip(key_ids, KEYS, strict=True)
        ),
        cameras=tuple(make_token(each.code, each.protocol) for each in cameras),
        sites=tuple(
            DemoSite(SITE, make_password(), tuple(each.code for each in cameras if each.protocol == "frigate"))
            for _ in cameras[:1]
        ),
    )


SITE: Final = "frigate"
"""The site of all Frigate cameras of the demo city, called as Frigate's own default topic is."""


def make_token(camera: str, protocol: str) -> DemoCamera:
    """A fresh token of one camera."""
    return DemoCamera(new_id(), protocol, camera, secrets.token_urlsafe(24))


KEYS: Final = (
    ("demo-reports", ("reports:write", "cases:read", "grid:read")),
    ("demo-cameras", ("camera-events:write",)),
)
SIGNS: Final = "demo-cameras"
"""The key whose camera events the simulator signs."""


def demo_document(city: City, given: DemoSecrets) -> dict[str, Any]:
    """Everything that demo.json says, apart from the address."""
    return {
        "users": [
            {
                "username": person.username,
                "password": given.password,
                "role": str(person.grant.role),
                "division": person.grant.division,
                "device_id": given.device_ids.get(person.username),
            }
            for person in city.people
        ],
        "camera_tokens": tokens_document(given.cameras),
        "mqtt_sites": [
            {
                "site": each.name, "username": each.name, "password": each.password.text, "client_id": each.name,
                "topic_prefix": each.name, "cameras": _names_of(city, each.cameras),
            }
            for each in given.sites
        ],
        "api_keys": [{"name": key.name, "key": key.text, "scopes": list(key.scopes)} for key in given.keys],
        "signing_secrets": [
            {"name": key.name, "sender": str(key.id), "secret": given.signing[key.name]}
            for key in given.keys
            if key.name in given.signing
        ],
        "sample_places": _places(city),
        "sample_categories": [category.code for category in CATEGORIES],
    }


def _names_of(city: City, codes: Sequence[str]) -> dict[str, str]:
    """What Frigate calls each of these cameras, and its code."""
    return {
        value: camera.code for camera in city.cameras if camera.code in codes
        for scheme, value in camera.names if scheme == "name"
    }  # fmt: skip


def _places(city: City) -> list[dict[str, object]]:
    """Places well inside cells, spread over the city."""
    chosen = dice(f"{city.seed}/places").sample(city.land.cells, _PLACES)
    points = [(cell.code, cell.outline.representative_point()) for cell in chosen]
    return [{"lon": round(at.x, 7), "lat": round(at.y, 7), "cell": code} for code, at in points]


def keep_document(home: Path, document: dict[str, Any]) -> None:
    """Put away what demo.json is written from, readable by its owner alone."""
    write_private(home / KEPT, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def write_demo_file(home: Path, url: str, mqtt_url: str = "") -> bool:
    """Write demo.json with today's addresses; False where this home has no demo city.

    Raises CannotStart where what was kept of it is damaged.
    """
    document = kept_document(home)
    if document is None:
        return False
    addresses = {"url": url} | ({"mqtt_url": mqtt_url} if mqtt_url else {})
    write_private(home / FILE, json.dumps(addresses | document, ensure_ascii=False, indent=1) + "\n")
    return True


def kept_document(home: Path) -> dict[str, Any] | None:
    """What was put away; None where this home has no demo city. Raises CannotStart where it is damaged."""
    kept = home / KEPT
    try:
        document: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CannotStart(f"{kept} is not whole ({error}): put it back from a copy, or delete the home") from error
    return document


def tokens_document(some: Sequence[DemoCamera]) -> list[dict[str, str]]:
    """What demo.json says of the cameras that post by themselves."""
    return [{"protocol": each.protocol, "camera": each.camera, "token": each.secret} for each in some]
