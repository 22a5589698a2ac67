"""examples/shop is one project as it stands: loaded, placed and planned without a server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.targets.quadlet.projects import PROXY, image
from tidegate.compose import Project, as_json
from tidegate.config import load_config, require_available
from tidegate.config.variables import environment_variables
from tidegate.edges import companions
from tidegate.errors import InputError
from tidegate.model.config import Config
from tidegate.pipeline.making import compose, settings_of
from tidegate.plan import plan_fleet
from tidegate.targets.quadlet.render import render
from tidegate.targets.quadlet.wanted import wanted_files
from tidegate.testing import oracle

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
PROGRAM = oracle.find()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


def loaded(root: Path) -> tuple[Config, Project]:
    """The configuration and the project in a folder."""
    config = load_config(root / "tidegate.yaml")
    return config, compose(config, {})


def released(root: Path, name: str) -> dict[str, Any]:
    """The release of an environment; the images are stand-ins."""
    config, project = loaded(root)
    environment = config.environments[name]
    require_available(config, environment)
    variables = environment_variables(config, environment, {})
    return render(
        project,
        settings=settings_of(config, project, variables),
        images={name: image(name, {}) for name in project.services},
        instance=config.project,
        environment=name,
        files=companions.read(wanted_files(project)).facts,
        variables=variables,
        proxy=PROXY,
        switch=environment.switch,
        hosts=environment.hosts,
    )


def test_what_runs_and_what_is_switched_off() -> None:
    """Every folder's services are there, but those of the skipped files."""
    _, project = loaded(SHOP)
    assert set(project.services) == {
        *("front", "web", "api", "api-migrate", "worker", "postgres", "nginx")
    }
    assert project.switched_off == {
        "reports": "applications/reports/skipped-Dockerfile",
        "cache": "services/30_cache/skipped-docker-compose.yml",
    }


def test_settings_wait_for_what_is_switched_off(shop: Path) -> None:
    """Settings for a service of a skipped file are no error; those for one that is nowhere are."""
    settings = shop / "tidegate.yaml"
    settings.write_text(settings.read_text().replace("  nginx:", "  cache: {on: web}\n  nginx:"))
    assert "cache" not in settings_of(*loaded(shop), {})
    settings.write_text(settings.read_text().replace("cache:", "cachet:"))
    with pytest.raises(InputError, match="cachet"):
        settings_of(*loaded(shop), {})


def test_the_first_plan() -> None:
    """What others need comes first; only PostgreSQL is in place, and the migration is a job."""
    [plan] = plan_fleet(released(SHOP, "staging"), {"staging-1": {}}).plans.values()
    order = [action.service for action in plan.actions]
    assert order == ["postgres", "api-migrate", "api", "front", "web", "nginx", "worker"]
    services = released(SHOP, "staging")["services"]
    assert {name: sorted(entry["depends_on"]) for name, entry in services.items()} == {
        "postgres": [],
        "api-migrate": ["postgres"],
        "api": ["api-migrate", "postgres"],
        "front": [],
        "web": ["api"],
        "nginx": ["api", "front", "web"],
        "worker": ["api", "postgres"],
    }
    kinds = {name: entry["strategy"] for name, entry in services.items()}
    assert kinds.pop("postgres") == "recreate"
    assert kinds.pop("api-migrate") == "job"
    assert set(kinds.values()) == {"blue-green"}


def test_where_production_runs() -> None:
    """The data is on one server, what can have several copies on both, the migration on one."""
    hosts = released(SHOP, "production")["hosts"]
    both = ["api", "front", "nginx", "web", "worker"]
    assert hosts["production-1"]["services"] == sorted([*both, "api-migrate", "postgres"])
    assert hosts["production-2"]["services"] == both


@pytest.mark.parametrize(
    ("file", "service", "what"),
    [
        ("services/20_nginx/nginx.conf", "nginx", "beside"),
        ("services/10_postgres/users.csv", "postgres", "replace"),
        ("applications/catalogue/src/articles.csv", "web", "beside"),
    ],
)
def test_a_companion_file_touches_its_service_only(
    shop: Path, file: str, service: str, what: str
) -> None:
    """A change of a companion file, or of the content bundle, renews one service and no other."""
    before = {"release": released(shop, "staging")}
    with (shop / file).open("a") as changed:
        changed.write("# new\n")
    [plan] = plan_fleet(released(shop, "staging"), {"staging-1": before}).plans.values()
    assert [(action.service, action.what) for action in plan.actions] == [(service, what)]


@pytest.mark.skipif(PROGRAM is None, reason=oracle.MISSING)
def test_docker_compose_reads_it_too(shop: Path) -> None:
    """One file that includes all of them is the same project to docker compose."""
    config, project = loaded(shop)
    text = json.dumps({"include": list(config.layout.files)})
    words = f"--project-directory {shop} -f - -p shop config --format json".split()
    done = subprocess.run(
        [str(PROGRAM), *words],
        input=text,
        cwd=shop,
        env={"HOME": str(shop)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == as_json(project)


def test_entry_points_can_be_run() -> None:
    """Each application that is on can be started and tested by its entry points."""
    folders = {path.parent for path in SHOP.glob("applications/*/Dockerfile")}
    for folder in folders:
        scripts = sorted((folder / "entrypoints").iterdir())
        assert {"entrypoint.sh", "entrypoint_test.sh"} <= {path.name for path in scripts}
        assert [path.name for path in scripts if not path.stat().st_mode & 0o100] == []
