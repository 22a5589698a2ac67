"""Names that compose allows and that no file can have, and text where podman needs a number."""

from __future__ import annotations

import pytest

from tests.targets.quadlet.projects import project, release
from tidegate.errors import InputError
from tidegate.targets.quadlet.export import Exported, export

LONG = "a" * 240


def exported(text: str) -> Exported:
    """The export of compose text."""
    return export(project(text), variables={})


def test_a_config_may_be_called_as_a_folder_is() -> None:
    """A config named `..` lies in the folder of configs, and is mounted from there."""
    service = "{image: x, configs: [{source: .., target: /c}]}"
    text = f"services: {{a: {service}}}\nconfigs: {{..: {{content: b}}}}"
    files = exported(text).files
    assert files["p-configs/@.."] == "b"
    assert "./p-configs/@..:/c" in files["p-a.container"]


@pytest.mark.parametrize("make", [exported, release])
def test_a_name_that_no_file_can_have_is_an_error(make: object) -> None:
    """Both an export and a deployment refuse it, at a line."""
    assert callable(make)
    with pytest.raises(InputError) as caught:
        make(f"services: {{{LONG}: {{image: x}}}}")
    assert caught.value.code == "unit-name-too-long"
    assert caught.value.where is not None
    assert caught.value.where.line == 1


@pytest.mark.parametrize(
    ("body", "leaf"),
    [
        ("ports: [{target: 80, published: http}]", "services.a.ports[0].published"),
        ("restart: sometimes", "services.a.restart"),
        ("restart: on-failure:often", "services.a.restart"),
        ("devices: ['']", "services.a.devices[0].permissions"),
        ("scale: 1001", "services.a"),
    ],
)
def test_what_podman_would_refuse_is_told(body: str, leaf: str) -> None:
    """A deployment refuses it at its line; an export reports it, or refuses it as a whole."""
    text = f"services:\n  a:\n    image: x\n    {body}\n"
    with pytest.raises(InputError) as caught:
        release(text)
    assert caught.value.where is not None
    assert caught.value.where.line in (3, 4)
    if body.startswith("scale"):
        with pytest.raises(InputError):
            exported(text)
        return
    unsupported = [entry["path"] for entry in exported(text).report("f")["entries"]
                   if entry["class"] == "unsupported"]  # fmt: skip
    assert leaf in unsupported


def test_no_network_is_no_network() -> None:
    """An empty network_mode and no networks leave a container alone, as in docker compose."""
    text = "services: {a: {image: x, network_mode: ''}}"
    assert "Network=none" in exported(text).files["p-a.container"]
    assert release(text)["services"]["a"]["network_mode"] == "none"
