"""How long `tidegate changes` takes beside `git diff --name-only`, in the same run.

    python benchmarks/changes.py [--json FILE] [--rounds N]

A repository of 10,000 files and 1,000 commits, made below a temporary folder: 50 applications,
20 services, shared code that Dockerfiles copy and tidegate.yaml watches. Three ranges: the newest
commit, the newest hundred, all thousand. Each round runs Python's own start, git and Tidegate
one after the other; ``tidegate_first`` is without what earlier runs have kept, as in a fresh CI
job. The median counts; the fastest says more where other work slows single ones.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tidegate.testing.prove import evidence

FILES, COMMITS, APPLICATIONS, SERVICES, PER_COMMIT = 10_000, 1_000, 50, 20, 12
RANGES = {"newest": "HEAD~1..HEAD", "hundred": "HEAD~100..HEAD", "all": f"HEAD~{COMMITS - 1}..HEAD"}
COMMAND = "from tidegate.__main__ import main; main()"  # what the installed program does
LIMIT = "1.3 times git diff --name-only, and 50 ms"

DOCKERFILE = """\
FROM python:3.12-slim AS base
ARG APP=a{n:02}
WORKDIR /app
COPY applications/a{n:02}/src/ src/
COPY applications/${{APP}}/requirements.txt libs/common{shared}/ ./
RUN --mount=type=bind,source=libs/wheels,target=/wheels pip install -r requirements.txt
CMD ["python", "-m", "src"]
"""
COMPOSE = """\
services:
  s{n:02}:
    image: registry.example.com/shop/a{n:02}:${{A{n:02}_TAG:-latest}}
    environment: {{LOG_LEVEL: info, DATABASE_URL: "postgres://db/${{DB_NAME:-app}}"}}
    env_file: [s.env]
    ports: ["80{n:02}:8000"]
    volumes: ["./conf:/etc/app:ro", "data:/var/lib/app"]
    healthcheck: {{test: [CMD, ./check], interval: 5s}}
  s{n:02}-worker:
    image: registry.example.com/shop/a{other:02}:${{A{other:02}_TAG:-latest}}
    command: [./work]
    depends_on: [s{n:02}]
volumes: {{data: }}
"""
CONFIG = """\
version: 1
project: shop
applications:
{applications}
environments:
  production:
    hosts: {{web-1: {{ssh: deploy@203.0.113.10}}}}
"""


def files() -> Iterator[tuple[str, str]]:
    """All files of the first commit."""
    applications = "\n".join(
        f"  a{n:02}: {{context: ., dockerfile: applications/a{n:02}/Dockerfile, "
        f'watch: ["tools/build/**"]}}'
        for n in range(APPLICATIONS)
    )
    yield "tidegate.yaml", CONFIG.format(applications=applications)
    yield ".dockerignore", "**/*.md\n**/test\ndocs\n!docs/keep.md\n"
    count = 2
    for n in range(APPLICATIONS):
        yield f"applications/a{n:02}/Dockerfile", DOCKERFILE.format(n=n, shared=n % 5)
        yield f"applications/a{n:02}/requirements.txt", "flask\n"
        count += 2
    for n in range(SERVICES):
        folder = f"services/{n:02}_s{n:02}"
        text = COMPOSE.format(n=n, other=n + SERVICES)
        yield f"{folder}/docker-compose.yml", text
        yield f"{folder}/conf/app.conf", "a = 1\n"
        yield f"{folder}/s.env", "A=1\n"
        count += 3
    kinds = ["src/m{}.py", "src/deep/er/m{}.py", "test/t{}.py", "README{}.md"]
    for n in range(FILES - count):
        home = f"applications/a{n % APPLICATIONS:02}"
        if n % 10 == 0:
            yield f"libs/common{n % 5}/m{n}.py", f"x = {n}\n"
        elif n % 10 == 1:
            yield f"docs/page{n}.md", f"page {n}\n"
        else:
            yield f"{home}/{kinds[n % 4].format(n)}", f"x = {n}\n"


def build(folder: Path, seed: int) -> None:
    """The repository, through one git fast-import."""
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    first = dict(files())
    names = [name for name in first if name.endswith((".py", ".md"))]
    chance = random.Random(seed)
    stream = []
    for commit in range(COMMITS):
        message = f"Change {commit}"
        stream.append(
            f"commit refs/heads/main\ncommitter A <a@example.com> {1_700_000_000 + commit} +0000\n"
            f"data {len(message)}\n{message}\n"
        )
        touched = first if commit == 0 else {
            name: f"x = {chance.random()}\n" for name in chance.sample(names, PER_COMMIT)
        }  # fmt: skip
        for name, text in touched.items():
            stream.append(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
    done = subprocess.run(
        ["git", "-C", folder, "fast-import", "--quiet"], input="".join(stream).encode(), check=True
    )
    done.check_returncode()
    subprocess.run(["git", "-C", folder, "repack", "-adq"], check=True)


def took(argv: list[str], folder: Path, cache: str = "") -> tuple[float, bytes]:
    """Milliseconds of the wall clock, and the output."""
    env = {**os.environ, "XDG_CACHE_HOME": cache} if cache else None
    begin = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=True, env=env)
    return (time.perf_counter() - begin) * 1000, done.stdout


def measured(folder: Path, span: str, rounds: int) -> dict[str, Any]:
    """Python's start, git, and Tidegate, interleaved: milliseconds."""
    tidegate = [sys.executable, "-c", COMMAND, "changes", span]
    programs = {
        "python_start": [sys.executable, "-c", "pass"],
        "git_diff": ["git", "diff", "--name-only", *span.split("..")],
        "tidegate_first": tidegate,
        "tidegate": tidegate,
        "tidegate_json": [*tidegate, "--json"],
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    answer = b""
    for _ in range(rounds):
        for name, argv in programs.items():
            with tempfile.TemporaryDirectory() as empty:
                ms, answer = took(argv, folder, empty if name == "tidegate_first" else "")
            times[name].append(ms)
    found: dict[str, Any] = {
        "median_ms": judged({name: statistics.median(all_ms) for name, all_ms in times.items()}),
        "fastest_ms": judged({name: min(all_ms) for name, all_ms in times.items()}),
    }
    data = json.loads(answer)["data"]
    found["files"] = len(data["files"])
    for kind in ("applications", "services"):
        found[kind] = sum(one["action"] != "nothing" for one in data[kind])
    return found


def judged(ms: dict[str, float]) -> dict[str, float]:
    """The figures, and what the limit allows beside them."""
    allowed = 1.3 * ms["git_diff"] + 50
    return {name: round(value, 1) for name, value in {**ms, "allowed": allowed}.items()}


def main() -> None:
    """Measure, print, write. Never judges: a machine may be slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed Tidegate is compiled
    with tempfile.TemporaryDirectory() as work:
        build(Path(work), asked.seed)
        # Compiles it, and leaves what a pipeline's last run did, which was a hundred commits ago.
        took([sys.executable, "-c", COMMAND, "changes", "HEAD~101..HEAD~100"], Path(work))
        found = {name: measured(Path(work), span, asked.rounds) for name, span in RANGES.items()}
    head = {
        "commit": evidence.git("rev-parse", "HEAD"),
        "machine": evidence.machine(),
        "load_average": round(os.getloadavg()[0], 1),
        "seed": asked.seed,
        "limit": LIMIT,
    }
    text = json.dumps({**head, **found}, indent=1)
    sys.stdout.write(f"{text}\n")
    if asked.json:
        asked.json.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
