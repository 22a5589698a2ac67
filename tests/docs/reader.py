"""A reader of the documents: a home, a folder, and lab servers in the place of the shown ones."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cli.schemas import check
from tests.docs.page import Command, File, Interrupt, Step, missing, steps
from tests.docs.stage import Stage
from tests.docs.terminal import Terminal
from tests.gates.people import Key
from tests.host.test_logins import asking
from tidegate.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
LISTED: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("pages.yaml").read_text(encoding="utf-8")
)
# RFC 5737's TEST-NET-3, private addresses, and those of a first lab: by their last number.
ADDRESS = re.compile(r"\b(?:203\.0\.113|10\.0\.0|10\.77\.77)\.(\d+)\b")
SERVERS = {"10": "a", "11": "b", "12": "c"}
PREFIX = "docs-"  # the lab's servers a, b and c are other people's
LAB_NAME = re.compile(r"(?<![\w/.-])([abc])(?![\w/.-])")
PORT = 5395  # of the registry that stands for registry.example.com
PERSON = re.compile(r"ssh-ed25519 AAAA… (\w+)@example\.com")
# The reader's ssh finds the keys of the lab, and there is nobody to type anything.
OPENING = """\
ssh() { command ssh -F "$TIDEGATE_SSH_CONFIG" "$@"; }
scp() { command scp -q -F "$TIDEGATE_SSH_CONFIG" "$@"; }
sudo() { shift; "$@"; }
"""


@dataclass(slots=True)
class Reader:
    """Somebody who follows pages to the letter, and finds fault with all that is not as shown."""

    lab: Lab
    home: Path
    terminal: Terminal
    faults: list[str]

    def follow(self, page: str) -> None:
        """Do what a page says; ends at the first fault."""
        listed = LISTED[page]
        if "folder" in listed:
            source = ROOT / listed["folder"]
            shutil.copytree(source, self.terminal.folder, dirs_exist_ok=True)
        for step in steps((ROOT / page).read_text(encoding="utf-8")):
            if self.faults:
                return
            if isinstance(step, Command) and step.bare in listed.get("not_run", {}):
                for name, text in listed.get("instead", {}).items():
                    self.do(File(step.line, name, text))
            else:
                self.faults += [f"{page}:{step.line}: {fault}" for fault in self.do(step)]

    def do(self, step: Step) -> list[str]:
        """One step; what was not as the page says."""
        if isinstance(step, File):
            path = self.terminal.folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.real(step.text), encoding="utf-8")
            return []
        if isinstance(step, Interrupt):
            return [f"was to go on and on, and ended: {one}" for one in self.terminal.interrupt()]
        text = self.real(step.text)
        if "lab" in text:
            text = LAB_NAME.sub(rf"{PREFIX}\1", text)
        if step.login:
            text = f"ssh {self.real(step.login)} {shlex.quote(f'bash -lc {shlex.quote(text)}')}"
        if step.beside:
            self.terminal.begin(text)
            return []
        return self._held(step, *self.terminal.run(text))

    def _held(self, step: Command, code: int, said: str) -> list[str]:
        faults = []
        if code != step.code:
            faults.append(f"`{step.text}` ended with {code}, not {step.code}:\n{said}")
        elif line := missing(tuple(map(self.real, step.shown)), said):
            faults.append(f"`{step.text}` did not say\n    {line}\nbut:\n{said}")
        if "--json" in step.text.split() and "2>" not in step.text and not faults:
            check(
                json.loads(
                    said[said.index('{\n  "schema"') :] if not code else said.splitlines()[-1]
                )
            )
        return faults

    def real(self, text: str) -> str:
        """The same with the addresses of lab servers and people's real keys."""
        text = ADDRESS.sub(
            lambda found: self.lab.server(f"{PREFIX}{SERVERS[found[1]]}").address, text
        )
        text = text.replace("registry.example.com", own_registry(self.lab))
        return PERSON.sub(lambda found: self.key(found[1]).line, text)

    def key(self, name: str) -> Key:
        """A person's key, `~/.ssh/NAME`; the first one's is the reader's own, too."""
        folder = self.home / ".ssh"
        if not (folder / name).exists():
            Key.make(folder, name)
            if not (folder / "id_ed25519").exists():
                shutil.copy(folder / name, folder / "id_ed25519")
                shutil.copy(folder / f"{name}.pub", folder / "id_ed25519.pub")
        return Key(folder / name)


def faults(page: str, stage: Stage) -> list[str]:
    """What is wrong with a page for somebody who follows it, after what it builds upon."""
    if page in (stage.at, *stage.kept):
        return []
    after = LISTED[page].get("after", "")
    if after and (found := faults(after, stage)):
        return found
    lab = stage.begin([f"{PREFIX}{letter}" for letter in sorted(_servers(page))], after)
    called = Path(LISTED[page].get("folder", "shop")).name
    begins = ROOT if LISTED[page].get("begins") == "checkout" else stage.home / called
    begins.mkdir(exist_ok=True)
    surroundings = environment(lab, stage.home, stage.runtime)
    with ExitStack() as stack:
        if LISTED[page].get("registry"):
            surroundings |= stack.enter_context(registry(lab, stage))
        terminal = stack.enter_context(Terminal(begins, surroundings))
        terminal.run(OPENING)
        reader = Reader(lab, stage.home, terminal, [])
        reader.follow(page)
        found = [*reader.faults, *terminal.interrupt()]
    if not found:
        stage.at = page
        if [of.get("after") for of in LISTED.values()].count(page) > 1:
            stage.keep(page)
    return found


def _servers(page: str) -> set[str]:
    """The servers that a page needs, with those of the pages that it builds upon."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = {SERVERS[number] for number in ADDRESS.findall(text) if number in SERVERS}
    for step in steps(text):
        if isinstance(step, Command) and "lab" in step.text:
            found |= set(LAB_NAME.findall(step.text))
    return found | (_servers(LISTED[page]["after"]) if "after" in LISTED[page] else set())


@contextmanager
def registry(lab: Lab, stage: Stage) -> Iterator[dict[str, str]]:
    """A registry that asks for a password and speaks plain HTTP; what tells Podman here so."""
    folder = stage.folder / "registry"
    folder.mkdir()
    known = lab.env().get("CONTAINERS_REGISTRIES_CONF")
    own = f'[[registry]]\nlocation = "{own_registry(lab)}"\ninsecure = true\n'
    (folder / "registries.conf").write_text((Path(known).read_text() if known else "") + own)
    with asking(folder, own_registry(lab)):
        yield {"CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf")}


def own_registry(lab: Lab) -> str:
    """Its address, the same from everywhere."""
    return f"{lab.network.gateway}:{PORT}"


def environment(lab: Lab, home: Path, runtime: Path) -> dict[str, str]:
    """A login of the reader's: a home with nothing in it, and the lab of the machine."""
    return {
        **{name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"},
        **lab.env(),
        "TIDEGATE_LAB_HOME": str(lab.places.cache),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "EDITOR": "true",
        **{f"GIT_{who}_NAME": "Somebody" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "somebody@example.com" for who in ("AUTHOR", "COMMITTER")},
    }
