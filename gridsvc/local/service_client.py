"""A client of our own HTTP API, for the programs that stand in for people: signs in, repeats safely, waits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from gridsvc.errors import SetupError, Unavailable

_AGAIN: Final = frozenset({429, 502, 503, 504})
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 5.0
_REQUEST_S: Final = 30.0  # a healthy answer takes milliseconds; beyond this the service is away


@dataclass(frozen=True)
class Answer:
    """What the service said. `body` is the parsed JSON, None where there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The stable code of a refusal, or the status as text where the service gave none."""
        said = self.body.get("code") if isinstance(self.body, dict) else None
        return str(said) if said else f"http_{self.status}"


@dataclass(repr=False)
class Login:
    """A person's name and password, and the tokens that the service gave for them. No repr: it holds secrets."""

    username: str
    password: str
    user_id: str = ""
    access: str = ""
    refresh: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, repr=False)
class Token:
    """A header that proves who calls: an access token or an API key. No repr: it holds a secret."""

    header: str
    value: str


Who = Login | Token | None


class ServiceClient:
    """One service at `url`. A request that cannot be known to have arrived is sent again with the same key.

    `patience_s` is how long a service that is away is waited for in one call; then Unavailable is raised.
    """

    def __init__(self, url: str, *, patience_s: float = 30.0, connections: int = 32) -> None:
        self.url = url.rstrip("/")
        self._patience_s = patience_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=_REQUEST_S),
            cookie_jar=aiohttp.DummyCookieJar(),  # we prove ourselves by header
        )

    async def __aenter__(self) -> ServiceClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def sign_in(self, login: Login) -> None:
        """Get tokens for `login`, by its refresh token while that holds, else by password.

        Raises SetupError where the password is wrong: asking again would only lock the name.
        """
        if login.refresh:
            answer = await self._send("POST", "/api/v1/auth/refresh", {"refresh_token": login.refresh}, {})
            if answer.good:
                login.access, login.refresh = answer.body["access_token"], answer.body["refresh_token"]
                return
        given = {"username": login.username, "password": login.password}
        answer = await self._send("POST", "/api/v1/auth/login", given, {})
        if not answer.good:
            raise SetupError(f"{self.url} does not let {login.username} in: {answer.code}")
        login.access, login.refresh = answer.body["access_token"], answer.body["refresh_token"]
        login.user_id = str(answer.body["user"]["id"])

    async def call(
        self,
        method: str,
        path: str,
        *,
        who: Who = None,
        body: object | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> Answer:
        """One request on behalf of `who`. Refusals are answers; only a service that stays away raises Unavailable."""
        headers = {}
        if key is not None:
            headers["Idempotency-Key"] = key
        if if_match is not None:
            headers["If-Match"] = if_match
        if not isinstance(who, Login):
            proof = {} if who is None else {who.header: who.value}
            return await self._send(method, path, body, headers | proof)
        token = who.access or await self._fresh(who, "")
        answer = await self._send(method, path, body, headers | {"Authorization": f"Bearer {token}"})
        if answer.status == 401:
            token = await self._fresh(who, token)
            answer = await self._send(method, path, body, headers | {"Authorization": f"Bearer {token}"})
        return answer

    async def upload(self, who: Login, content: bytes, name: str, key: str) -> Answer:
        """Send one picture as an attachment; twice with the same key is once."""
        boundary = hashlib.sha256(content).hexdigest()[:32]  # the same bytes each time: the key stands for them
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
        form = Form(body, f"multipart/form-data; boundary={boundary}")
        return await self.call("POST", "/api/v1/attachments", who=who, body=form, key=key)

    async def upload_in_parts(self, who: Login, content: bytes, told: Mapping[str, str], key: str) -> Answer:
        """Send one file as a resumable upload (tus 1.0.0) in two parts, as over a poor link.

        The answer is that of the last part; where it is good, its body is as that of a form of one file.
        """
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
        begin = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answer = await self.call("POST", "/api/v1/attachments", who=who, body=Form(b"", "", begin), key=key)
        where, sent = answer.headers.get("Location", ""), 0
        while answer.good and sent < len(content):
            part = content[sent : sent + (len(content) + 1) // 2]
            said = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(sent), "Upload-Checksum": _checksum(part)}
            form = Form(part, "application/offset+octet-stream", said)
            answer = await self.call("PATCH", where, who=who, body=form)
            if answer.code == "wrong_offset":  # it had arrived; the answer had not
                answer = Answer(204, None, answer.headers)
            sent = int(answer.headers.get("Upload-Offset", len(content)))
        if not answer.good:
            return answer
        return Answer(answer.status, {"items": [{"id": where.rpartition("/")[2]}]}, answer.headers)

    async def _fresh(self, who: Login, used: str) -> str:
        """An access token other than the `used` one; one sign-in serves all who wait for it."""
        async with who.turn:
            if who.access == used:
                await self.sign_in(who)
            return who.access

    async def _send(self, method: str, path: str, body: object | None, headers: Mapping[str, str]) -> Answer:
        given, kind = _written(body)
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + self._patience_s
        wait = _FIRST_WAIT_S
        while True:
            try:
                async with self._session.request(
                    method, self.url + path, data=given, headers={**kind, **headers}
                ) as got:
                    answer = Answer(got.status, _read(await got.read(), got.content_type), dict(got.headers))
                if answer.status not in _AGAIN:
                    return answer
                trouble = answer.code
            except (aiohttp.ClientError, TimeoutError) as error:
                trouble = f"{type(error).__name__}: {error}"
            if loop.time() + wait > patient_until:
                raise Unavailable(
                    f"{self.url} has not answered {method} {path} for {self._patience_s:.0f} s: {trouble}"
                )
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads the callers
            wait = min(wait * 2, _LONGEST_WAIT_S)


@dataclass(frozen=True, repr=False)
class Form:
    """A body that is no JSON of ours, with its content type and headers that belong to it, such as a signature."""

    content: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def _checksum(part: bytes) -> str:
    return f"sha256 {base64.b64encode(hashlib.sha256(part).digest()).decode()}"


def _written(body: object | None) -> tuple[bytes | None, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, Form):
        kind = {"Content-Type": body.content_type} if body.content_type else {}
        return body.content, {**kind, **body.headers}
    return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}


def _read(raw: bytes, content_type: str) -> Any:
    return json.loads(raw) if raw and content_type.endswith("json") else None
