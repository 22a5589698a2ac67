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
from tidegate.host.due import migrations
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
    assert set(project.services) == {*("front", "web", "api", "worker", "postgres", "nginx")}
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
    """What others need comes first; the database is migrated before the API and at the end."""
    [plan] = plan_fleet(released(SHOP, "staging"), {"staging-1": {}}).plans.values()
    order = [(action.service, action.what) for action in plan.actions]
    started = [(name, "start") for name in ("api", "front", "web", "nginx", "worker")]
    migrated = ("api", "migrate")
    assert order == [("postgres", "start"), migrated, *started, migrated]
    services = released(SHOP, "staging")["services"]
    assert {name: sorted(entry["depends_on"]) for name, entry in services.items()} == {
        "postgres": [],
        "api": ["postgres"],
        "front": [],
        "web": ["api"],
        "nginx": ["api", "front", "web"],
        "worker": ["api", "postgres"],
    }
    kinds = {name: entry["strategy"] for name, entry in services.items()}
    assert kinds.pop("postgres") == "recreate"
    assert set(kinds.values()) == {"blue-green"}


def test_where_production_runs() -> None:
    """The data is on one server, what can have several copies on both; one migrates."""
    made = released(SHOP, "production")
    hosts = made["hosts"]
    assert made["tasks"] == {"api": "production-1"}
    both = ["api", "front", "nginx", "web", "worker"]
    assert hosts["production-1"]["services"] == sorted([*both, "postgres"])
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
    made = released(shop, "staging")
    before = {"release": made, "migrated": [task.name for task in migrations(made)]}
    with (shop / file).open("a") as changed:
        changed.write("# new\n")
    [plan] = plan_fleet(released(shop, "staging"), {"staging-1": before}).plans.values()
    assert [(action.service, action.what) for action in plan.actions] == [(service, what)]


def read_by_docker(shop: Path, *files: str) -> Any:
    """What docker compose makes of one file that includes all, and of ``files``."""
    text = json.dumps({"include": list(load_config(shop / "tidegate.yaml").layout.files)})
    more = "".join(f" -f {file}" for file in files)
    words = f"--project-directory {shop} -f -{more} -p shop config --format json".split()
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
    return json.loads(done.stdout)


@pytest.mark.skipif(PROGRAM is None, reason=oracle.MISSING)
def test_docker_compose_reads_it_too(shop: Path) -> None:
    """It is the same project to docker compose, but for what only tidegate.yaml delivers."""
    _, project = loaded(shop)
    ours = as_json(project)
    [bundle] = ours["services"]["web"].pop("volumes")
    assert (bundle["source"], bundle["target"], bundle["read_only"]) == (
        *(str(shop / "applications/catalogue/src"), "/srv/catalogue", True),
    )
    assert read_by_docker(shop) == ours


@pytest.mark.skipif(PROGRAM is None, reason=oracle.MISSING)
def test_a_laptop_needs_no_more_than_docker_compose(shop: Path) -> None:
    """With laptop.yaml the catalogue is mounted, and the API waits for its database."""
    services = read_by_docker(shop, "laptop.yaml")["services"]
    [mount] = services["web"]["volumes"]
    assert mount["source"] == str(shop / "applications/catalogue/src")
    waits = {name: wait["condition"] for name, wait in services["api"]["depends_on"].items()}
    assert waits["api-migrate"] == "service_completed_successfully"
    job = services["api-migrate"]
    assert (job["command"], job["build"]) == (["migrate"], services["api"]["build"])
    assert list(job["depends_on"]) == ["postgres"]


def test_entry_points_can_be_run() -> None:
    """Each application that is on can be started and tested by its entry points."""
    folders = {path.parent for path in SHOP.glob("applications/*/Dockerfile")}
    for folder in folders:
        scripts = sorted((folder / "entrypoints").iterdir())
        names = {path.name for path in scripts}
        assert {"entrypoint.sh", "entrypoint_test.sh"} <= names
        assert [path.name for path in scripts if not path.stat().st_mode & 0o100] == []
        assert ("entrypoint_e2e.sh" in names) == (folder / "e2e_tests").is_dir()
        assert (folder / "example.env").is_file()
        assert any((folder / "test").iterdir())


def test_a_delivered_bundle_needs_a_service_and_a_free_path(shop: Path) -> None:
    """A service that is nowhere, a path that is taken, an empty folder: errors with their line."""
    settings = shop / "tidegate.yaml"
    text = settings.read_text()
    for old, new, code in (
        ("into: web", "into: wep", "unknown-service"),
        (
            "into: web, at: /srv/catalogue",
            "into: postgres, at: /etc/shop/users.csv/",
            "deliver-taken",
        ),
        ("{deliver:", "{context: services/../docs, deliver:", "deliver-empty"),
        ("{deliver:", "{context: .., deliver:", "deliver-outside"),
    ):
        assert old in text
        settings.write_text(text.replace(old, new))
        (shop / "docs").mkdir(exist_ok=True)
        with pytest.raises(InputError) as refused:
            loaded(shop)
        assert refused.value.code == code
        assert refused.value.where is not None
        assert refused.value.where.line == 4


def test_a_bundle_that_is_switched_off_goes_nowhere(shop: Path) -> None:
    """As an application with skipped-Dockerfile does not run, so a bundle is not delivered."""
    folder = shop / "applications/catalogue"
    (folder / "Dockerfile").rename(folder / "skipped-Dockerfile")
    _, project = loaded(shop)
    assert not project.services["web"].get("volumes")
