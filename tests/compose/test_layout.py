"""applications/ and services/ as one project: what counts, what is off, what comes first."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.compose import Project
from tidegate.compose.folders import layout_of
from tidegate.compose.layout import load_layout
from tidegate.compose.order import AFTER, numbered
from tidegate.errors import InputError
from tidegate.model.layout import Folder
from tidegate.testing.files import Memory

ROOT = "/case"


def loaded(files: dict[str, str], **variables: str) -> Project:
    """The project of a repository that holds these files."""
    listing: dict[str, set[str]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        if folder.count("/") == 1:
            listing.setdefault(folder, set()).add(name)
    layout = layout_of(listing)
    reader = Memory(files, ROOT)
    return load_layout(layout, ROOT, reader=reader, variables=variables, project="p")


@pytest.mark.parametrize(
    ("names", "files", "off", "unread"),
    [
        ({"docker-compose.yml", "a.conf"}, ["docker-compose.yml"], "", []),
        (
            {"docker-compose.yaml", "compose.override.yml", "compose.yml"},
            ["compose.yml", "compose.override.yml"],
            "",
            [],
        ),
        ({"Dockerfile"}, [], "", []),
        ({"skipped-compose.yaml"}, [], "skipped-compose.yaml", ["skipped-compose.yaml"]),
        ({"skipped-docker-compose.yml", "docker-compose.yml"}, ["docker-compose.yml"], "", []),
        (
            {"skipped-Dockerfile", "docker-compose.yml"},
            [],
            "skipped-Dockerfile",
            ["docker-compose.yml"],
        ),
        (
            {"skipped-Dockerfile", "Dockerfile", "docker-compose.yml"},
            ["docker-compose.yml"],
            "",
            [],
        ),
    ],
)
def test_what_counts_in_a_folder(
    names: set[str], files: list[str], off: str, unread: list[str]
) -> None:
    """The file that docker compose would take, unless the folder is switched off."""
    [found] = layout_of({"services/7_x": names}).folders
    path = "services/7_x"
    assert found == Folder(
        path,
        tuple(f"{path}/{name}" for name in files),
        7,
        f"{path}/{off}" if off else "",
        tuple(f"{path}/{name}" for name in unread),
    )


def test_folders_are_in_order() -> None:
    """Services by number, not by digits, then those without one, then applications."""
    paths = ["applications/10_a", "services/b", "services/9_x", "services/10-y", "services/2z"]
    found = layout_of({path: {"compose.yaml"} for path in paths}).folders
    assert [(folder.path, folder.number) for folder in found] == [
        ("services/9_x", 9),
        ("services/10-y", 10),
        ("services/2z", None),
        ("services/b", None),
        ("applications/10_a", None),
    ]


def test_each_file_stands_for_itself() -> None:
    """Paths and .env are of its own folder; services of other folders are known by name."""
    project = loaded(
        {
            "applications/web/docker-compose.yaml": (
                "services: {web: {build: ., depends_on: [db], environment: {A: '$A', B: '$B'}}}"
            ),
            "applications/web/.env": "A=own\nB=own\n",
            "services/1_d$b/compose.yaml": "services: {db: {image: x, volumes: ['./a:/a']}}",
            "services/1_d$b/compose.override.yaml": "services: {db: {user: '1'}}",
        },
        B="given",
    )
    assert project.working_dir == ROOT
    assert project.services["web"]["build"]["context"] == f"{ROOT}/applications/web"
    assert project.services["web"]["environment"] == {"A": "own", "B": "given"}
    assert project.services["db"]["volumes"][0]["source"] == f"{ROOT}/services/1_d$b/a"
    assert project.services["db"]["user"] == "1"
    assert project.where(("services", "web")).file.endswith("applications/web/docker-compose.yaml")


def test_variables_for_all_folders() -> None:
    """.env and, stronger, services/version.env are for every file; what is given is strongest."""
    files = {
        "services/a/compose.yaml": "services: {a: {image: 'x:$A$B$C'}}",
        ".env": "A=1\nB=1\nC=1\n",
        "services/version.env": "B=2\nC=2\n",
    }
    assert loaded(files, C="3").services["a"]["image"] == "x:123"


def test_a_service_in_two_folders() -> None:
    """The same name for two services is an error with the place of one."""
    with pytest.raises(InputError) as caught:
        loaded(
            {
                "services/a/compose.yaml": "services: {db: {image: x}}",
                "services/b/compose.yaml": "services: {db: {image: y}}",
            }
        )
    assert (caught.value.code, str(caught.value.where)) == (
        "compose-conflict",
        f"{ROOT}/services/a/compose.yaml:1:12",
    )


def test_what_is_switched_off_is_named() -> None:
    """Who needs a service that is switched off hears by which file; a broken one is no trouble."""
    files = {
        "applications/web/compose.yaml": "services: {web: {image: x, depends_on: [%s]}}",
        "services/30_cache/skipped-compose.yaml": "services: {cache: {image: redis}}",
        "services/40_odd/skipped-compose.yaml": "services: {",
    }
    with pytest.raises(InputError) as caught:
        loaded({name: text.replace("%s", "cache") for name, text in files.items()})
    assert "services/30_cache/skipped-compose.yaml switches cache off" in caught.value.hint
    assert str(caught.value.where).endswith("applications/web/compose.yaml:1:41")
    with pytest.raises(InputError) as caught:
        loaded({name: text.replace("%s", "wev") for name, text in files.items()})
    assert "did you mean 'web'" in caught.value.hint
    assert loaded({name: text.replace("%s", "") for name, text in files.items()}).switched_off == {
        "cache": "services/30_cache/skipped-compose.yaml"
    }


def test_numbers_order_the_files_services() -> None:
    """Numbers are order where nobody says any; a dependency against them wins."""
    project = loaded(
        {
            "applications/app/compose.yaml": "services: {app: {image: x}}",
            "services/10_a/compose.yaml": "services: {a: {image: x}}",
            "services/20_b/compose.yaml": "services: {b: {image: x, depends_on: [c]}}",
            "services/30_c/compose.yaml": "services: {c: {image: x}, d: {image: x}}",
        }
    )
    waits = {name: dict(body.get("depends_on") or {}) for name, body in project.services.items()}
    own = {"condition": "service_started", "required": True}
    assert waits == {
        "app": {},
        "a": {},
        "b": {"c": own, "a": AFTER},
        "c": {"a": AFTER},
        "d": {"b": AFTER, "c": AFTER},
    }


@pytest.mark.parametrize(
    ("web", "waits"),
    [
        ("environment: {URL: 'http://db:80/x'}", ["db"]),
        ("environment: {URL: 'postgres://u:p@db/x'}", ["db"]),
        ("environment: {LIST: 'a:1,db:6379'}", ["db"]),
        ("environment: {CACHE_HOST: db}", ["db"]),
        ("command: [serve, --cache, 'db:6379']", ["db"]),
        ("environment: {USER: db, PATH: '/db:/x', NOTE: 'my.db:80', T: 'db:latest'}", []),
        ("environment: {URL: 'http://near:80'}", []),
        ("environment: {URL: 'http://job:80'}", []),
        ("environment: {URL: 'http://caller:80'}", []),
        ("environment: {URL: 'http://user:80'}", []),
        ("environment: {URL: 'http://user:80', CACHE_HOST: db}", ["db"]),
    ],
)
def test_names_of_hosts_are_dependencies(web: str, waits: list[str]) -> None:
    """A host's name in another folder's file orders, unless it is a job or names us as well."""
    job = "{condition: service_completed_successfully}"
    project = loaded(
        {
            "applications/web/compose.yaml": (
                f"services: {{web: {{image: x, {web}}}, near: {{image: x}}}}"
            ),
            "applications/others/compose.yaml": (
                "services:\n"
                "  db: {image: x}\n"
                "  job: {image: x}\n"
                f"  waiting: {{image: x, depends_on: {{job: {job}}}}}\n"
                "  caller: {image: x, environment: {URL: 'http://web:80'}}\n"
                "  user: {image: x, depends_on: [web]}\n"
            ),
        }
    )
    found = project.services["web"].get("depends_on") or {}
    assert found == dict.fromkeys(waits, AFTER)


def test_names_win_over_numbers() -> None:
    """What a service names comes before it, whatever the numbers say."""
    project = loaded(
        {
            "services/10_a/compose.yaml": "services: {a: {image: x, environment: {B_HOST: b}}}",
            "services/20_b/compose.yaml": "services: {b: {image: x}}",
        }
    )
    assert project.services["a"]["depends_on"] == {"b": AFTER}
    assert "depends_on" not in project.services["b"]


@st.composite
def projects(draw: st.DrawFn) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """Services that need only earlier ones, of whom some have numbers."""
    count = draw(st.integers(1, 9))
    names = [f"s{place}" for place in range(count)]
    services = {
        name: {"depends_on": {other: {"condition": "service_started"} for other in needs}}
        for place, name in enumerate(names)
        for needs in [draw(st.sets(st.sampled_from(names[:place]))) if place else set()]
    }
    some = draw(st.sets(st.sampled_from(names)))
    return services, {name: draw(st.integers(1, 4)) for name in some}


def reached(services: Any, name: str) -> set[str]:
    """All that a service waits for, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        for other in set(services[todo.pop()].get("depends_on") or {}) - found:
            found.add(other)
            todo.append(other)
    return found


@given(projects())
def test_numbers_never_contradict_dependencies(
    made: tuple[dict[str, dict[str, Any]], dict[str, int]],
) -> None:
    """No circle, no wait of one's own changed, and a lower rank always comes first.

    A service's rank is the lowest number among it and those that need it.
    """
    services, numbers = made
    found = numbered(services, numbers)
    list(TopologicalSorter({n: b["depends_on"] for n, b in found.items()}).static_order())
    for name, body in services.items():
        own = {key: found[name]["depends_on"][key] for key in body["depends_on"]}
        assert own == body["depends_on"]
    rank = {
        name: min(
            n for other, n in numbers.items() if other == name or name in reached(services, other)
        )
        for name in numbers
    }
    for first in numbers:
        for later in numbers:
            assert rank[first] >= rank[later] or first in reached(found, later)


def test_jobs_are_left_to_who_waits_for_them() -> None:
    """A number does not make others wait for a job, which would run again for each of them."""
    services = {
        "job": {},
        "app": {"depends_on": {"job": {"condition": "service_completed_successfully"}}},
        "later": {},
    }
    found = numbered(services, {"job": 1, "app": 1, "later": 2})
    assert set(found["later"]["depends_on"]) == {"app"}
