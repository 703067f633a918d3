"""The tables `camera_tokens` and `camera_names`: who may post as which camera, and what devices call themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gridsvc.db import Statement


@dataclass(frozen=True)
class Admitted:
    """A token that may be used now, and the cameras that it speaks for, by code."""

    id: UUID
    protocol: str
    cameras: Sequence[str]


# `from` is the peer's address; a token without networks may be used from anywhere.
ADMITTED = Statement(
    Admitted,
    """
    SELECT t.id, t.protocol,
           ARRAY(SELECT c.camera FROM camera_token_cameras c WHERE c.token_id = t.id ORDER BY c.camera) AS cameras
      FROM camera_tokens t
     WHERE t.secret_hash = $1::bytea
       AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > city_now())
       AND (t.networks = '{}' OR $2::text::inet <<= ANY (t.networks))
    """,
)


@dataclass(frozen=True)
class Named:
    """A camera and one of the names its device goes by."""

    camera: str
    scheme: str
    value: str


NAMES = Statement(
    Named,
    """
    SELECT camera, scheme, value
      FROM camera_names
     WHERE camera = ANY ($1::text[])
     ORDER BY camera, scheme, value
    """,
)
