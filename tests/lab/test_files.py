"""What the lab writes down and works out needs no server to be checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.errors import InfrastructureError, InputError
from tidegate.lab import building, identity
from tidegate.lab.identity import Identity
from tidegate.lab.images import CONTAINERFILES, IMAGES
from tidegate.lab.lab import _check_name
from tidegate.lab.network import CANDIDATES, Network, mac_of
from tidegate.lab.places import Places
from tidegate.lab.processes import run
from tidegate.lab.registry import Registry

PODMAN_POOLS = ("10.88.", "10.89.", "10.90.")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A lab of its own that was never up, on a network that is known."""
    (tmp_path / "subnet").write_text(CANDIDATES[0])
    return Places(tmp_path)


def test_an_address_has_one_mac_and_it_is_a_local_unicast_one() -> None:
    """The MAC follows from the address; its first octet says locally administered, unicast."""
    assert mac_of("10.77.77.10") == "02:54:0a:4d:4d:0a"
    assert mac_of("10.77.77.11") != mac_of("10.77.77.10")
    assert int(mac_of("10.77.77.10")[:2], 16) & 0b11 == 0b10


def test_no_candidate_network_is_one_of_podmans() -> None:
    """Podman inside a server takes its networks from 10.88 upwards."""
    assert not any(candidate.startswith(PODMAN_POOLS) for candidate in CANDIDATES)


def test_names_keep_their_address_and_get_different_ones(places: Places) -> None:
    """Claiming twice gives the same identity; another name gets the next address."""
    network = Network(places)
    first = identity.claim(places, network, "a")
    second = identity.claim(places, network, "b")
    assert identity.claim(places, network, "a") == first
    assert (first.address, second.address) == ("10.77.77.10", "10.77.77.11")


def test_ssh_knows_every_server_by_name_and_address(places: Places) -> None:
    """ssh itself, asked by name or address, answers with the lab's key, user and strictness."""
    identity.make_key(places.key, "test")
    network = Network(places)
    identity.claim(places, network, "a")
    identity.save(places, Identity("b", "10.77.77.11", variant="bare"))
    identity.claim(places, network, "b")
    identity.write_ssh_files(places)
    for name, address, user in (("a", "10.77.77.10", "deploy"), ("b", "10.77.77.11", "root")):
        for asked in (name, address):
            argv = ["ssh", "-G", "-F", str(places.ssh_config), asked]
            lines = run(argv).stdout.splitlines()
            assert f"user {user}" in lines
            assert f"hostname {address}" in lines
            assert "stricthostkeychecking true" in lines
            assert f"identityfile {places.key}" in lines
    known = places.known_hosts.read_text().splitlines()
    assert [line.split()[0] for line in known] == ["a,10.77.77.10", "b,10.77.77.11"]


@pytest.mark.parametrize("name", ["", "A", "-a", "1a", "a b", "a,b", "ä", "a" * 32, "../a"])
def test_a_bad_name_is_refused(name: str) -> None:
    """Names become file, interface and host names, so they are letters, digits and hyphens."""
    with pytest.raises(InputError) as refused:
        _check_name(name)
    assert refused.value.code == "lab-name"


def test_a_failed_program_is_named_with_its_last_lines() -> None:
    """The error says which program inside nsenter failed, and what it wrote last."""
    argv = [sys.executable, "-c", "import sys; print('one'); sys.exit('two')"]
    with pytest.raises(InfrastructureError, match="exit code 1") as failed:
        run(argv)
    assert failed.value.log == ("one", "two")
    with pytest.raises(InfrastructureError, match="not installed"):
        run(["tidegate-no-such-program"])


def test_missing_programs_are_named_with_the_command_that_installs_them(tmp_path: Path) -> None:
    """On a machine that has nothing but apt-get, the hint is one apt-get line."""
    (tmp_path / "apt-get").write_text("#!/bin/sh\n")
    (tmp_path / "apt-get").chmod(0o755)
    code = (
        "from tidegate.lab import machine, packages\n"
        "packages.PLACES = ()\n"
        "try:\n    machine._require_programs()\n"
        "except machine.InfrastructureError as error:\n    print(error.hint)\n"
    )
    env = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.startswith("apt-get install -y ")
    assert {"podman", "mmdebstrap", "nftables", "openssh-client"} <= set(done.stdout.split())


def test_the_registry_stands_in_for_all_of_docker_io(places: Places) -> None:
    """registries.conf sends docker.io, and nothing else, to the lab's registry over HTTP."""
    import tomllib

    registry = Registry(places, Network(places))
    (entry,) = tomllib.loads(registry._registries_conf())["registry"]
    assert entry == {"prefix": "docker.io", "location": "10.77.77.1:5000", "insecure": True}


def test_builds_learn_of_the_machines_index_for_packages(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index in PIP_INDEX_URL gets into a pip.conf that is mounted while building."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    (variable,) = building.ensure(places).items()
    assert variable[0] in ("CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE")
    assert "/etc/pip.conf:ro" in Path(variable[1]).read_text()
    written = (places.cache / "building" / "pip.conf").read_text()
    assert "index-url = https://packages.example/simple\n" in written


def test_every_stand_in_has_a_recipe_and_every_recipe_a_name() -> None:
    """The table of images and the directories of recipes list the same."""
    assert {path.name for path in CONTAINERFILES.iterdir()} == set(IMAGES)
    for name in IMAGES:
        assert (CONTAINERFILES / name / "Containerfile").exists()
