"""The compose files: whole, closed to the outside but for the proxy, with every secret they name made by the script."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
FILES = {"one machine": ["compose.yaml"], "three brokers": ["compose.yaml", "compose.cluster.yaml"]}


def compose_plugin() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of docker/ with its secrets made."""
    copy = tmp_path / "docker"
    shutil.copytree(DOCKER, copy, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([copy / "make-secrets.sh"], check=True, capture_output=True)
    return copy


@pytest.mark.parametrize("names", FILES.values(), ids=FILES.keys())
def test_compose_accepts_the_files(folder: Path, names: list[str]) -> None:
    if not compose_plugin():
        pytest.skip("needs docker's compose plugin; the tests below read the files without it")
    words = [word for name in names for word in ("-f", str(folder / name))]
    checked = subprocess.run(
        ["docker", "compose", *words, "config", "--quiet"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_only_the_proxy_is_reachable_and_every_service_says_whether_it_is_well() -> None:
    services = read("compose.yaml")["services"]
    assert {name for name, service in services.items() if "ports" in service} == {"proxy"}
    image_checks = "HEALTHCHECK" in (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    for name, service in services.items():
        assert "healthcheck" in service or (service["image"] == "gridsvc" and image_checks), name


def test_devices_are_let_in_by_a_file_of_its_own_and_by_this_machine_alone_until_somebody_says_otherwise() -> None:
    services = read("compose.devices.yaml")["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "rabbitmq": ["${GRIDSVC_PUBLISH_MQTT:-127.0.0.1:1883}:1883"],
        "workers": ["${GRIDSVC_PUBLISH_SIP:-127.0.0.1:5060}:5060/udp"],
    }
    assert services.keys() <= read("compose.yaml")["services"].keys()
    assert "rabbitmq_mqtt" in (DOCKER / "rabbitmq-plugins").read_text(encoding="utf-8")
    assert "mqtt.allow_anonymous = false" in (DOCKER / "make-secrets.sh").read_text(encoding="utf-8")


def test_what_waits_waits_for_a_service_that_is_there() -> None:
    services = read("compose.yaml")["services"]
    awaited = {other for service in services.values() for other in service.get("depends_on", {})}
    assert awaited <= services.keys()
    assert services["web"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("names", FILES.values(), ids=FILES.keys())
def test_every_secret_file_is_made_and_every_secret_and_volume_is_declared(folder: Path, names: list[str]) -> None:
    parts = [read(name) for name in names]
    secrets = {name: entry for part in parts for name, entry in part["secrets"].items()}
    volumes = {name for part in parts for name in part["volumes"]}
    for entry in secrets.values():
        assert (folder / entry["file"]).stat().st_size > 0, entry["file"]
    for service in (service for part in parts for service in part["services"].values()):
        for secret in service.get("secrets", []):
            assert (secret if isinstance(secret, str) else secret["source"]) in secrets
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (folder / source).exists() if source.startswith(".") else source in volumes


def test_secrets_are_made_once(folder: Path) -> None:
    before = {file.name: file.read_bytes() for file in (folder / "secrets").iterdir()}
    subprocess.run([folder / "make-secrets.sh"], check=True, capture_output=True)
    assert {file.name: file.read_bytes() for file in (folder / "secrets").iterdir()} == before


def test_the_cluster_names_the_nodes_that_there_are() -> None:
    nodes = {name for part in map(read, FILES["three brokers"]) for name in part["services"] if "rabbitmq" in name}
    conf = (DOCKER / "rabbitmq-cluster.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"= rabbit@(\w+)", conf)) == nodes
    assert len(nodes) == 3


def test_the_image_is_built_from_hashes_and_runs_as_nobody_special() -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    installs = re.findall(r"pip install (.*)", "\n".join(lines))
    assert installs
    assert all("--require-hashes" in words or "--no-deps" in words for words in installs)
    assert "USER gridsvc" in lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]


@pytest.mark.parametrize(
    "word",
    ["client_header_timeout", "client_body_timeout", "send_timeout", "limit_conn ", "proxy_request_buffering on"],
)
def test_the_proxy_takes_slow_clients_upon_itself(word: str) -> None:
    assert word in (DOCKER / "proxy.conf").read_text(encoding="utf-8")
