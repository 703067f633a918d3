"""The simulated people: who they are by name, who has a shift, where they walk, and how to call as one of them."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from events.intake.signature import secret_bytes
from gridsvc.domain.shift import on_shift
from gridsvc.errors import SetupError
from gridsvc.local.city_demo_file import FILE, SIGNS
from gridsvc.local.city_ground import Lattice, Patch, community_patches, make_lattice
from gridsvc.local.city_people import CITY, ROTA, SURVEY_CAR, desk_name, handler_name, officer_name
from gridsvc.local.city_plan import SEED
from gridsvc.local.service_client import Login, ServiceClient, Token
from gridsvc.local.simulate_devices import DeviceToken
from gridsvc.local.simulate_rules import By, SeenCase, is_main

_NOISE_DEG: Final = 8 / 111_000  # how far a phone is off in a street, about 8 m

Crossing = tuple[int, int]


@dataclass(frozen=True, repr=False)
class Signing:
    """Who sends signed camera events, and what they are signed with. No repr: it holds a secret."""

    sender: str
    secret: bytes

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Signing:
        """Raises ValueError for a secret that is none."""
        secret = secret_bytes(told["secret"])
        if secret is None:
            raise ValueError("a signing secret that is none")
        return cls(told["sender"], secret)


@dataclass(frozen=True)
class Demo:
    """What demo.json says: address, passwords and tracker ids by user name, keys by name, tokens by camera.

    `signing`: for keys that sign, who sends and with what; a city that was made before there were any has none.
    """

    url: str
    passwords: dict[str, str]
    device_ids: dict[str, str]
    keys: dict[str, str]
    cameras: tuple[DeviceToken, ...] = ()
    signing: dict[str, Signing] = field(default_factory=dict)

    @classmethod
    def read(cls, home: Path) -> Demo:
        """Raises SetupError where this home has no demo city, or its file is not whole."""
        file = home / FILE
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                url=told["url"],
                passwords={user["username"]: user["password"] for user in told["users"]},
                device_ids={user["username"]: user["device_id"] for user in told["users"] if user["device_id"]},
                keys={key["name"]: key["key"] for key in told["api_keys"]},
                cameras=tuple(
                    DeviceToken(each["protocol"], each["camera"], each["token"]) for each in told["camera_tokens"]
                ),
                signing={each["name"]: Signing.read(each) for each in told.get("signing_secrets", ())},
            )
        except FileNotFoundError as error:
            raise SetupError(f"{file} is not there: `gridsvc up` writes it when it makes the demo city") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SetupError(f"{file} is not whole ({error}); `gridsvc up` writes it anew") from error


@dataclass
class Walker:
    """An officer somewhere in the streets of a community: the crossing he stands at."""

    username: str
    street: str
    duty_line: str
    number: int
    patch: Patch
    at: Crossing


class Crowd:
    """Everybody in demo.json, and where the officers are. Signs people in when they are first needed."""

    def __init__(self, client: ServiceClient, demo: Demo, seed: int) -> None:
        self._client = client
        self._demo = demo
        self._logins: dict[str, Login] = {}
        self._lattice: Lattice = make_lattice(SEED)
        self.walkers = {walker.username: walker for walker in _walkers(demo, seed)}

    def login(self, username: str) -> Login:
        """How to call as `username`. Raises SetupError for somebody demo.json does not know."""
        if username not in self._logins:
            if username not in self._demo.passwords:
                raise SetupError(f"demo.json has no user {username}")
            self._logins[username] = Login(username, self._demo.passwords[username])
        return self._logins[username]

    @property
    def program(self) -> Token:
        """The key of the program that reports."""
        return Token("X-API-Key", self._demo.keys["demo-reports"])

    @property
    def cameras(self) -> Token:
        """The key of the program that watches cameras."""
        return Token("X-API-Key", self._demo.keys["demo-cameras"])

    @property
    def signs(self) -> Signing | None:
        """Who sends the signed camera events, and what with; None in a city that was made before there were any."""
        return self._demo.signing.get(SIGNS)

    @property
    def car_token(self) -> str | None:
        """What the survey car posts with; None in a city without a car."""
        return next((each.secret for each in self._demo.cameras if each.camera == SURVEY_CAR), None)

    @property
    def streets(self) -> list[tuple[float, float]]:
        """Crossings inside communities, WGS-84, in one order."""
        patches = community_patches(SEED)
        inside = [((each.west + each.east) // 2, (each.south + each.north) // 2) for _, each in sorted(patches.items())]
        return [(float(lon), float(lat)) for lon, lat in (self._lattice.crossings[at] for at in inside)]

    @property
    def devices(self) -> tuple[DeviceToken, ...]:
        """The cameras that post by themselves."""
        return self._demo.cameras

    def desk(self, by: By, case: SeenCase) -> Login:
        """The district's acceptor, dispatcher or supervisor; the city's where the district is not known."""
        return self.login(desk_name(by, case.divisions[1] if len(case.divisions) > 1 else CITY))

    async def owner(self, case: SeenCase) -> Login | None:
        """Who answers for the case, or None where that is nobody of ours."""
        if case.officer is None:
            return self.handler(case, case.department or "")
        return await self.officer(case, case.officer)

    def handler(self, case: SeenCase, department: str) -> Login | None:
        """Who handles for the department in the case's district, or None where that is nobody of ours."""
        name = handler_name(department, case.divisions[1] if len(case.divisions) > 1 else "")
        return self.login(name) if name in self._demo.passwords else None

    async def officer(self, case: SeenCase, user_id: str | None) -> Login | None:
        """The officer of the case's street and duty line with this id, or None where there is none."""
        for walker in self._of(case):
            login = await self.known(walker.username)
            if login.user_id == user_id:
                return login
        return None

    async def one_of(self, user_ids: Collection[str]) -> Login | None:
        """The first officer of the city, by user name, with one of these ids; None where there is none.

        Those who were called come from anywhere. Only who has a session is looked at: whoever is on duty has one.
        """
        found = [login for login in self._logins.values() if login.user_id and login.user_id in user_ids]
        return min(found, key=lambda login: login.username, default=None)

    async def somebody_on_shift(self, case: SeenCase, local: datetime) -> Login | None:
        """An officer of the case's street and duty line who has a shift now."""
        present = [walker for walker in self._of(case) if has_shift(walker, local)]
        return await self.known(present[case.version % len(present)].username) if present else None

    async def known(self, username: str) -> Login:
        """A login whose user id is known, which takes one sign-in."""
        login = self.login(username)
        async with login.turn:
            if not login.user_id:
                await self._client.sign_in(login)
        return login

    def on_shift(self, local: datetime) -> list[Walker]:
        """Officers who have a shift at a local time, by user name."""
        return [self.walkers[name] for name in sorted(self.walkers) if has_shift(self.walkers[name], local)]

    def device_id(self, walker: Walker) -> str:
        """The secret id of an officer's tracker."""
        return self._demo.device_ids[walker.username]

    def place(self, at: Crossing, rng: random.Random) -> tuple[float, float]:
        """Where a phone says it is when it is at a crossing: lon, lat in WGS-84, a few metres off."""
        lon, lat = self._lattice.crossings[at]
        return (
            round(float(lon) + rng.uniform(-_NOISE_DEG, _NOISE_DEG), 7),
            round(float(lat) + rng.uniform(-_NOISE_DEG, _NOISE_DEG), 7),
        )

    def _of(self, case: SeenCase) -> list[Walker]:
        return [
            walker
            for walker in self.walkers.values()
            if walker.street in case.divisions and walker.duty_line == case.duty_line
        ]


def has_shift(walker: Walker, local: datetime) -> bool:
    """Whether the officer's rota has him at work at a local (aware) time."""
    zone = local.tzinfo
    assert isinstance(zone, ZoneInfo)  # noqa: S101 - local times of the city carry its zone
    return on_shift(ROTA[walker.duty_line][walker.number - 1], local, zone)


def next_crossing(at: Crossing, patch: Patch, rng: random.Random) -> Crossing:
    """One block along a street that stays in the patch or on its edge."""
    i, j = at
    around = ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1))
    return rng.choice([c for c in around if patch.west <= c[0] <= patch.east and patch.south <= c[1] <= patch.north])


def _walkers(demo: Demo, seed: int) -> Iterator[Walker]:
    rng = random.Random(seed)  # noqa: S311 - where somebody begins to walk is no secret
    by_street: dict[str, list[Patch]] = {}
    for community, patch in community_patches(SEED).items():
        by_street.setdefault(community[:9], []).append(patch)
    for street, patches in sorted(by_street.items()):
        for duty_line, rota in ROTA.items():
            for number in range(1, len(rota) + 1):
                name = officer_name(street, duty_line, number)
                if name in demo.device_ids:
                    patch = patches[number % len(patches)]
                    at = rng.randint(patch.west, patch.east), rng.randint(patch.south, patch.north)
                    yield Walker(name, street, duty_line, number, patch, at)


def first_id(uploaded: Any) -> str:
    """The id of the one file of an upload's answer."""
    return str(uploaded["items"][0]["id"])


def another_case(case: SeenCase, others: Sequence[SeenCase]) -> str | None:
    """Another open case of the same street to merge into, of the same category if there is one; None without any."""
    near = [
        other
        for other in others
        if other.id != case.id and other.state != "closed" and other.divisions[:3] == case.divisions[:3]
    ]
    return min(near, key=lambda other: (other.category != case.category, other.id)).id if near else None


def a_main(case: SeenCase, others: Sequence[SeenCase], seed: int) -> str | None:
    """A case of the same district that somebody has in hand and others may be linked to; None without any."""
    near = [
        other.id
        for other in others
        if other.id != case.id
        and other.state in {"assigned", "accepted", "in_progress"}
        and other.divisions[:2] == case.divisions[:2]
        and is_main(other, seed)
    ]
    return min(near, default=None)
