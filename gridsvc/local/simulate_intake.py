"""How the simulated cameras speak to the service: by key and signature, by token, by account, each in its own words.

What they see is decided in simulate_cameras.py, simulate_survey.py, simulate_devices.py and simulate_viid.py, which are
pure; here it is posted, and the answers are counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from events.intake.gat1400 import MEDIA_TYPE
from events.intake.signature import sign
from gridsvc.local.city_people import CITY, desk_name
from gridsvc.local.service_client import Answer, Form, ServiceClient, Token
from gridsvc.local.simulate_cameras import CameraWatch
from gridsvc.local.simulate_crowd import Crowd
from gridsvc.local.simulate_devices import DeviceWatch
from gridsvc.local.simulate_survey import SurveyCar
from gridsvc.local.simulate_tally import Tally
from gridsvc.local.simulate_viid import TrafficCamera, proof

_OFF: Final = frozenset({"signature_too_old", "signature_too_new"})


class SimulatedIntake:
    """All that posts without a person behind it, in one run."""

    def __init__(
        self, client: ServiceClient, crowd: Crowd, tally: Tally, seed: int, run: str, codes: Sequence[str],
        chance: float, storm_looks: int,
    ) -> None:  # fmt: skip
        """`chance`: that a camera sees something at a look; `storm_looks`: after how many looks one storms."""
        self._client, self._crowd, self._tally = client, crowd, tally
        self._cameras = CameraWatch(seed, run, codes, chance, storm_looks)
        self._car = SurveyCar(seed, run, crowd.streets, chance / 2)
        self._traffic = TrafficCamera(seed, run, codes[-1], chance)
        self._traffic_secret = ""
        self._devices = DeviceWatch(seed, run, crowd.devices, chance / 2)
        self._run, self._signed = run, 0
        self._ahead = timedelta()  # of the city's clock before ours

    async def post(self, *, full: bool) -> None:
        """Post what all of them see at this look. While the city is `full` nothing begins; what is stuck goes on."""
        for batch in self._cameras.look(full=full):
            self._saw("camera events", await self._post_batch(json.dumps(batch).encode()))
        if full:
            return
        seen = self._car.look(self._moment().isoformat()) if self._crowd.car_token else None
        if seen is not None:
            path = f"/intake/mapped/{self._crowd.car_token}"
            self._saw("survey car", await self._client.call("POST", path, body=seen))
        self._tally.incidents = self._cameras.incidents + self._car.incidents
        await self._watch_traffic()
        await self._watch_devices()

    async def _watch_devices(self) -> None:
        """Cameras that post by themselves, each with its token and in the words of its maker."""
        for sent in self._devices.look():
            path = f"/intake/{sent.token.protocol}/{sent.token.secret}"
            answer = await self._client.call("POST", path, body=Form(sent.body, sent.content_type))
            if answer.good:
                self._tally.devices[sent.token.protocol] += 1
            else:
                self._tally.refused[f"{sent.token.protocol}: {answer.code}"] += 1

    def _saw(self, what: str, answer: Answer) -> None:
        if answer.good:
            self._tally.cameras.update(item["outcome"] for item in answer.body["items"])
        else:
            self._tally.refused[f"{what}: {answer.code}"] += 1

    async def _post_batch(self, content: bytes) -> Answer:
        """Signed, by a sender that the path names; by key in a city that has no secret to sign with."""
        path, kind = "/api/v1/camera-events", "application/cloudevents-batch+json"
        signs = self._crowd.signs
        if signs is None:
            return await self._client.call("POST", path, who=self._crowd.cameras, body=Form(content, kind))
        self._signed += 1
        name, moment_s = f"{self._run}/{self._signed}", int(self._moment().timestamp())
        proof = {
            "webhook-id": name, "webhook-timestamp": str(moment_s),
            "webhook-signature": sign(signs.secret, name, moment_s, content),
        }  # fmt: skip
        answer = await self._client.call("POST", f"{path}/{signs.sender}", body=Form(content, kind, proof))
        if answer.code in _OFF:  # the city says how far our clock is from its own; the next look is right
            self._ahead += timedelta(seconds=answer.body["age_s"])
        return answer

    def _moment(self) -> datetime:
        """Now, by the city's clock."""
        return datetime.now(UTC) + self._ahead

    async def _watch_traffic(self) -> None:
        """What the camera of GA/T 1400 says; where it is not known any more it registers again."""
        if not self._traffic_secret and not await self._give_account():
            return
        for path, message in self._traffic.look():
            answer = await self._say_viid(path, message)
            self._tally.cameras[f"viid {path.rsplit('/', 1)[-1]} {_viid_status(answer)}"] += 1
            if answer.status == 401:
                await self._say_viid(*self._traffic.signing("Register"))

    async def _say_viid(self, path: str, message: Mapping[str, Any]) -> Answer:
        form, path = Form(json.dumps(message).encode(), MEDIA_TYPE), f"/VIID/{path}"
        answer = await self._client.call("POST", path, who=Token("User-Identify", self._traffic.device), body=form)
        if answer.status != 401 or not path.endswith("Register"):
            return answer
        challenge = answer.headers.get("WWW-Authenticate", "")
        said = proof(challenge, path, self._traffic.device, self._traffic_secret, uuid4().hex)
        return await self._client.call("POST", path, who=Token("Authorization", said), body=form)

    async def _give_account(self) -> bool:
        """An account for the camera, or a new secret where a run before this one has given it one."""
        who, device = self._crowd.login(desk_name("admin", CITY)), self._traffic.device
        wanted = {"device": device, "cameras": [device], "label": "simulated"}
        given = await self._client.call("POST", "/api/v1/viid-accounts", who=who, body=wanted, key=str(uuid4()))
        if given.code == "account_taken":
            listed = (await self._client.call("GET", "/api/v1/viid-accounts", who=who)).body["items"]
            (old,) = (each["id"] for each in listed if each["device"] == device and each["revoked_at"] is None)
            given = await self._client.call(
                "POST", f"/api/v1/viid-accounts/{old}/rotate", who=who, body={"grace_hours": 0}, key=str(uuid4())
            )
        if given.good:
            self._traffic_secret = given.body["secret"] or ""
        else:
            self._tally.refused[f"viid account: {given.code}"] += 1
        return given.good


def _viid_status(answer: Answer) -> str:
    """What became of a call of GA/T 1400, in a word."""
    if answer.status == 401:
        return "not registered"
    said = json.dumps(answer.body).replace(" ", "")
    return "kept" if '"StatusCode":0' in said else "refused" if '"StatusCode":4' in said else answer.code
