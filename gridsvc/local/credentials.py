"""The passwords and keys of one instance, made once."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from gridsvc.errors import CannotStart
from gridsvc.local.keep import write_private


@dataclass(frozen=True, repr=False)
class Credentials:
    """What the servers of one instance ask for. Never printed: it has no repr of its own."""

    owner_password: str
    service_password: str
    broker_password: str
    erlang_cookie: str
    token_key: str


def settle_credentials(file: Path) -> Credentials:
    """The credentials kept in `file` (mode 0600), made if there are none. Twice gives the same.

    Raises CannotStart when the file is there and not whole: other ones would not open the data.
    """
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return Credentials(**kept)
    except FileNotFoundError:
        made = Credentials(**{name: secrets.token_urlsafe(32) for name in Credentials.__dataclass_fields__})
        write_private(file, json.dumps(asdict(made), indent=2) + "\n")
        return made
    except (TypeError, ValueError) as trouble:
        raise CannotStart(f"{file} is not whole ({trouble}): put it back from a copy, or delete the home") from trouble
