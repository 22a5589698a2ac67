"""What bears a name of ours and is somebody else's: found, and in the way only where needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.host import strangers
from tidegate.host.errors import HostError
from tidegate.host.paths import Paths
from tidegate.host.strangers import DROP_IN, IN_THE_WAY, LEFT_ALONE
from tidegate.host.units import head
from tidegate.testing.releases import release, service

ONE = release({"web": service(replicas=2), "db": service("recreate")})
THEIRS = "[Container]\nImage=theirs\n"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A host with Quadlet's folder and systemd's."""
    found = Paths(tmp_path, "hello")
    found.units.mkdir(parents=True)
    (tmp_path / ".config/systemd/user").mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("hello-web-a.container", IN_THE_WAY),
        ("hello-web-b-2.container", IN_THE_WAY),
        ("hello-web-front.container", IN_THE_WAY),
        ("hello-db.container", IN_THE_WAY),
        ("hello-default.network", IN_THE_WAY),
        ("hello-backup.container", LEFT_ALONE),
        ("hello-web-a.txt", None),
        ("helloworld.container", None),
    ],
)
def test_a_unit_of_somebody_else(paths: Paths, name: str, meaning: str | None) -> None:
    """Whatever a deployment may write, in either slot, is in the way; the rest is only told."""
    (paths.units / name).write_text(THEIRS)
    assert strangers.look(paths, ONE, ()) == ({name: meaning} if meaning else {})


def test_what_is_ours_is_no_stranger(paths: Paths) -> None:
    """By its mark, by another instance's mark, or because the release that serves has it."""
    (paths.units / "hello-web-b.container").write_text(head("hello") + THEIRS)
    (paths.units / "hello-api-web-a.container").write_text(head("hello-api") + THEIRS)
    (paths.units / "hello-web-a.container").write_text(THEIRS)
    assert strangers.look(paths, ONE, {"hello-web-a.container"}) == {}


def test_systemd_takes_its_own_folder_first(paths: Paths) -> None:
    """A service or a mask there hides Quadlet's unit; a drop-in changes it."""
    user = paths.home / ".config/systemd/user"
    (user / "hello-db.service").symlink_to("/dev/null")
    (user / "hello-web-a.service.d").mkdir()
    (user / "hello-web-a.service.d/override.conf").write_text("[Service]\n")
    assert strangers.look(paths, ONE, ()) == {
        "hello-db.service": IN_THE_WAY,
        "hello-web-a.service.d/override.conf": DROP_IN,
    }


def test_only_what_is_needed_is_refused(paths: Paths) -> None:
    """By its name, with what to do; what is left alone stops nobody."""
    (paths.units / "hello-backup.container").write_text(THEIRS)
    strangers.refuse(paths, ONE, (), {"hello-backup"})
    with pytest.raises(HostError, match="the container hello-db on this host is not ours"):
        strangers.refuse(paths, ONE, (), {"hello-db"})
    (paths.units / "hello-web-b.container").write_text(THEIRS)
    with pytest.raises(HostError, match=r"the unit hello-web-b\.container") as caught:
        strangers.refuse(paths, ONE, (), ())
    assert (caught.value.class_, caught.value.code) == ("refused", "name-taken")
