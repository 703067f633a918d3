"""`gridsvc up --lan`: a phone in the network trusts the city's own authority, and may then do what a phone must."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

_ADDRESS = "192.168.77.1"
_JOIN = f'ip link set lo up && ip addr add {_ADDRESS}/24 dev lo && exec "$@"'


def network() -> tuple[list[str], str]:
    """Words that run a command in a network of its own, and its address there.

    Where nobody may make one, an address of the loopback network that is not the usual one has to do.
    """
    own = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    words = ["unshare", "--net", *own, "bash", "-c", _JOIN, "bash"]
    if shutil.which("unshare") and subprocess.run([*words, "true"], check=False, capture_output=True).returncode == 0:
        return words, _ADDRESS
    return [], "127.0.0.2"


@pytest.mark.slow
def test_a_phone_that_trusts_the_authority_has_place_camera_and_service_worker() -> None:
    words, address = network()
    parent = Path(tempfile.mkdtemp(prefix="gridsvc-lan-"))
    parent.chmod(0o755)
    home = parent / "home"
    try:
        done = subprocess.run(
            [*words, sys.executable, "-m", "tests.acceptance.lan_phone", str(home), address],
            check=False, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4_000:]
        found = json.loads(done.stdout)
        assert (home / "lan/authority.key.pem").stat().st_mode & 0o077 == 0
        assert (home / "lan/enrolment.png").read_bytes().startswith(b"\x89PNG")
    finally:
        if (home / "postgres").exists():
            shutil.rmtree((home / "postgres").resolve())
        shutil.rmtree(parent)

    assert found["elsewhere"] == [8081, 8443], "the web alone is on the network, all else on the loopback address"
    assert found["versions"] == ["TLSv1.3", "TLSv1.3"], "by address and by name"
    assert found["given"], "the page gives the authority's certificate"
    assert found["kind"] == "application/x-x509-ca-cert"
    assert all(word in found["page"] for word in ("指纹", "证书信任设置", "CA certificate", f"https://{address}:8443/"))
    fingerprint = next(line.split()[-1] for line in found["said"].splitlines() if "SHA-256" in line)
    assert fingerprint in found["page"]
    assert f"http://{address}:8081/" in found["said"]
    assert "ERR_CERT_AUTHORITY_INVALID" in found["stranger"]["refused"], "who does not trust it gets no further"
    assert found["phone"] == {"secure": True, "place": 103.8, "media": True, "worker": True, "kept": True}
    if words:  # browsers trust the whole loopback network
        assert found["plain"]["secure"] is False, "the page of the second port is for enrolling alone"
    assert found["ended"] == 0
