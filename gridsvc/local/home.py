"""Where one instance keeps its things: every path under its home, and the user its database runs as."""

import hashlib
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import CannotStart


@dataclass(frozen=True)
class Home:
    """The folder of one instance (`GRIDSVC_HOME`, `.grid` by default). Make it with `open_home`."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    @property
    def token_key(self) -> Path:
        return self.path / "token.key"

    @property
    def lock(self) -> Path:
        return self.path / "up.lock"

    @property
    def record(self) -> Path:
        return self.path / "up.json"

    @property
    def demo(self) -> Path:
        return self.path / "demo.json"

    @property
    def lan(self) -> Path:
        """Authority, certificate and QR code of `gridsvc up --lan`."""
        return self.path / "lan"

    @property
    def rabbitmq(self) -> Path:
        return self.path / "rabbitmq"

    @property
    def postgres(self) -> Path:
        """The cluster's folder, or a link to it where the home is closed to the user PostgreSQL runs as."""
        return self.path / "postgres"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def open_home(path: Path) -> Home:
    """The home at `path`, made if it is not there. Twice does no harm.

    Raises CannotStart when the folder cannot be made or not be written.
    """
    home = Home(path.absolute())
    try:
        home.logs.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise CannotStart(f"the home {home.path} cannot be made: {trouble.strerror}") from trouble
    if not os.access(home.path, os.W_OK):
        owner = home.path.stat().st_uid
        raise CannotStart(f"the home {home.path} belongs to user {owner} and cannot be written by this user")
    return home


@dataclass(frozen=True)
class Account:
    """A user of this machine that a server runs as."""

    name: str
    uid: int
    gid: int


def database_account() -> Account | None:
    """Whom PostgreSQL runs as: None for this user; `postgres` when this user is root, whom it refuses.

    Raises CannotStart when this user is root and there is no user `postgres`.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise CannotStart(
            "PostgreSQL does not run as root, and this machine has no user 'postgres': "
            "run gridsvc/local/install-packages.sh, or start as a normal user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def short_name(home: Home) -> str:
    """A name for this home that is short, printable and the same every time: its folder and eight digits."""
    digest = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:8]
    plain = "".join(c for c in home.path.parent.name if c.isascii() and (c.isalnum() or c in "-_"))
    return f"{plain or 'home'}-{digest}"


def python() -> str:
    """The interpreter that children run: this one."""
    return sys.executable
