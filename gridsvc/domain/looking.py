"""Looking through a camera: which gateway, and the link that it answers with. Pure decisions.

The link is signed and ends by itself; nothing in it opens anything else.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

LONGEST: Final = timedelta(minutes=60)

PLAY_FIELDS: Final = frozenset({"camera", "expires", "signature"})
SNAPSHOT_FIELDS: Final = frozenset({"camera"})


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A streaming gateway. `cameras` and `protocols`: whom it serves; both empty: everyone."""

    code: str
    cameras: Sequence[str] = ()
    protocols: Sequence[str] = ()
    play_template: str | None = None
    snapshot_template: str | None = None


def gateway_for(camera: str, protocol: str, kind: str, gateways: Sequence[Gateway]) -> Gateway | None:
    """The gateway that does `kind` (play, snapshot) for a camera: one that names it, else its protocol, else all.

    Of several alike the first by code; None: none does.
    """

    def fits(gateway: Gateway) -> bool:
        does = gateway.play_template if kind == "play" else gateway.snapshot_template
        if does is None:
            return False
        if gateway.cameras:
            return camera in gateway.cameras
        return not gateway.protocols or protocol in gateway.protocols

    def exactness(gateway: Gateway) -> tuple[bool, bool, str]:
        return not gateway.cameras, not gateway.protocols, gateway.code

    return min(filter(fits, gateways), key=exactness, default=None)


def fault_of_template(template: str, kind: str) -> str | None:
    """What is wrong with a template of `kind`; None: nothing."""
    wanted = PLAY_FIELDS if kind == "play" else SNAPSHOT_FIELDS
    try:
        names = [name for _, name, spec, how in string.Formatter().parse(template) if name is not None]
        plain = all(not spec and not how for _, _, spec, how in string.Formatter().parse(template))
        parts = urlsplit(template)
    except ValueError as error:
        return f"it cannot be read: {error}"
    if not plain or set(names) != wanted:
        return "it has not exactly " + ", ".join(f"{{{name}}}" for name in sorted(wanted))
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        return "it is no address of http or https with a host"
    if parts.username is not None or parts.password is not None:
        return "it has a user or password in it; want them sealed"
    return None


def filled(template: str, camera: str, until: datetime, key: bytes) -> str:
    """The play link of a camera that is good until `until`: signed over the camera and that moment."""
    expires = int(until.timestamp())
    return template.format(
        camera=quote(camera, safe=""), expires=expires, signature=signature_of(camera, expires, key)
    )


def signature_of(camera: str, expires: int, key: bytes) -> str:
    """HMAC-SHA256 over the code, a line feed and the seconds since 1970, in hexadecimal."""
    return hmac.new(key, f"{camera}\n{expires}".encode(), hashlib.sha256).hexdigest()


def snapshot_url(template: str, camera: str) -> str:
    """Where the gateway has a picture of what the camera sees now."""
    return template.format(camera=quote(camera, safe=""))
