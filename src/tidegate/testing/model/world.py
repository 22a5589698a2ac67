"""Controllers, hosts, a witness and a network that loses, delays, repeats and reorders.

A message that was sent may arrive at any time, any number of times, or never: what was sent is
a set that only grows. A host's record is durable before it answers, so a crash is nothing but
silence. Leases run out at any time on any host: clocks agree on nothing. Host 0 is the witness.
Which state follows which, and who may do what, is asked of the code itself: the hosts' table
and rules (tidegate.host.protocol) and the controller's table (tidegate.pipeline.states).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tidegate.host import protocol
from tidegate.pipeline.states import ENDS, TABLE, Outcome, Phase

WITNESS = 0
CLOSED = "closed"
NOT_BEGUN, DEAD = "", "dead"
# What a phase of the controller asks of every host, and which answer lets it pass.
ASKS = {
    Phase.JOIN: ("join", "joined"),
    Phase.PREPARE: ("prepare", "prepared"),
    Phase.SWITCH: ("switch", "switched"),
    Phase.FINISH: ("finish commit", "committed"),
    Phase.UNDO: ("finish abort", "reverted"),
    Phase.RELEASE: ("release", "closed"),
    Phase.GIVE_BACK: ("release", "closed"),
}
# Phases that need no message of their own here: the state of the hosts does not depend on them.
LOCAL = (Phase.SECRETS, Phase.WATCH, Phase.VERIFY, Phase.CONTRACT)
PROPOSES = {Phase.COMMIT: "commit", Phase.ABORT: "abort"}


class Host(NamedTuple):
    """One host: the open deployment (0: none) and its state, and what it remembers."""

    open: int = 0
    state: str = CLOSED
    known: str = ""  # the outcome of the open deployment, once it is recorded here
    serving: int = 0
    seen: int = 0  # the highest token
    ended: tuple[str, ...] = ()  # by deployment
    said: frozenset[tuple[int, str]] = frozenset()  # answers that it ever gave


class World(NamedTuple):
    """Everything; `controllers`, `sent` and `decisions` are by deployment."""

    hosts: tuple[Host, ...]
    controllers: tuple[str, ...]
    sent: tuple[frozenset[str], ...]
    decisions: tuple[str, ...]
    told: frozenset[tuple[int, int]] = frozenset()  # (deployment, host) the witness answered


class Step(NamedTuple):
    """One thing that can happen; `alone`: without any controller."""

    words: str
    world: World
    alone: bool = False


@dataclass(frozen=True)
class Rules:
    """What the code says; a test gives tables with a bug in them."""

    hosts: Mapping[tuple[str, str], str] = field(default_factory=lambda: protocol.TRANSITIONS)
    controller: Mapping[tuple[Phase, Outcome], Phase] = field(default_factory=lambda: TABLE)
    may_record: Callable[[str, str], bool] = protocol.may_record
    may_obey: Callable[[str, str], bool] = protocol.may_obey
    may_join: Callable[[int, int], bool] = protocol.may_join


def begin(hosts: int, deployments: int) -> World:
    """Nothing was ever deployed."""
    first = Host(ended=("",) * deployments)
    empty = (frozenset[str](),) * deployments
    blank = (NOT_BEGUN,) * deployments
    return World((first,) * hosts, blank, empty, ("",) * deployments)


def steps(world: World, rules: Rules) -> Iterator[Step]:
    """All that can happen next."""
    for number in range(1, len(world.controllers) + 1):
        yield from _controller(world, rules, number)
    for index in range(len(world.hosts)):
        yield from _arrivals(world, rules, index)
        yield from own_steps(world, rules, index)


# --- the controller


def _controller(world: World, rules: Rules, number: int) -> Iterator[Step]:
    phase = world.controllers[number - 1]
    if phase == NOT_BEGUN:
        before = world.controllers[number - 2] if number > 1 else DEAD
        if before != NOT_BEGUN:
            yield from _acquire(world, number)
        return
    if phase == DEAD or phase in ENDS:
        return
    yield Step(f"controller {number} dies", _at(world, number, DEAD))
    for outcome in _outcomes(world, number, Phase(phase)):
        following = rules.controller[Phase(phase), outcome]
        turned = _at(world, number, following)
        yield Step(f"controller {number}: {phase} {outcome}", _send(turned, number, following))


def _acquire(world: World, number: int) -> Iterator[Step]:
    """The witness gives the lock where nothing is open."""
    witness = world.hosts[WITNESS]
    if witness.open == 0:
        opened = _opened(witness, number)
        turned = _at(_host(world, WITNESS, opened), number, Phase.JOIN)
        yield Step(f"controller {number}: acquired", _send(turned, number, Phase.JOIN))


def _outcomes(world: World, number: int, phase: Phase) -> Iterator[Outcome]:
    """How a phase can end: well only after every answer, badly at any time."""
    recorded = world.decisions[number - 1]
    if phase in ASKS:
        answer = (number, ASKS[phase][1])
        if all(answer in host.said for host in world.hosts):
            yield Outcome.OK
        yield Outcome.FAILED
    elif phase in LOCAL:
        yield Outcome.OK
        yield Outcome.FAILED
    elif phase in PROPOSES:
        if recorded:
            yield Outcome.OK if recorded == PROPOSES[phase] else Outcome.OVERRULED
        yield Outcome.FAILED
    elif phase is Phase.ASK:
        if recorded:
            yield Outcome.OK if recorded == "commit" else Outcome.OVERRULED
        yield Outcome.FAILED
    if world.hosts[WITNESS].open != number and (phase, Outcome.GONE) in TABLE:
        yield Outcome.GONE


def _send(world: World, number: int, phase: Phase) -> World:
    """What is on its way once a phase has begun."""
    words = ASKS[phase][0] if phase in ASKS else f"decide {PROPOSES.get(phase, '')}"
    if phase not in ASKS and phase not in PROPOSES:
        return world
    sent = list(world.sent)
    sent[number - 1] |= {words}
    return world._replace(sent=tuple(sent))


# --- a host


def _arrivals(world: World, rules: Rules, index: int) -> Iterator[Step]:
    """A message of a controller arrives, for the first or the hundredth time."""
    host = world.hosts[index]
    for number, words in ((n, w) for n, sent in enumerate(world.sent, 1) for w in sent):
        after = _received(world, rules, index, number, words)
        if after is not None and after != world:
            yield Step(f"host {index} hears {number}: {words}", after)
    if host.state == "in-doubt" and index != WITNESS and (host.open, index) in world.told:
        yield from _obey(world, rules, index, world.decisions[host.open - 1])


def _received(world: World, rules: Rules, index: int, number: int, words: str) -> World | None:
    host = world.hosts[index]
    if words == "join":
        return _joined(world, rules, index, number)
    if host.open != number:
        return None
    if words in ("prepare", "switch"):
        state = rules.hosts.get((host.state, words))
        if state is None or host.known or _decision(world, index):
            return None
        return _host(world, index, host._replace(state=state))
    if words.startswith("decide"):
        outcome = words.removeprefix("decide ")
        return _recorded(world, rules, outcome, number) if index == WITNESS else None
    if words.startswith("finish"):
        outcome = words.removeprefix("finish ")
        known = _decision(world, index) if index == WITNESS else host.known
        state = rules.hosts.get((host.state, outcome))
        if state is None or not rules.may_obey(outcome, known) or (index == WITNESS and not known):
            return None
        return _host(world, index, host._replace(state=state, known=outcome))
    if words == "release" and host.state in protocol.ENDED:
        return _host(world, index, _closed(host))
    return None


def _joined(world: World, rules: Rules, index: int, number: int) -> World | None:
    """A deployment is opened on a host that is not the witness; a newer one ends an older."""
    host = world.hosts[index]
    answered = host._replace(said=host.said | {(number, "joined")})
    if host.open == number:
        return _host(world, index, answered)
    if not rules.may_join(number, host.seen):
        return None
    if host.open:
        return None  # the older one lapses first: see own_steps
    return _host(world, index, _opened(answered, number))


def own_steps(world: World, rules: Rules, index: int) -> Iterator[Step]:
    """What a host does by itself, and the witness's answers to it."""
    host = world.hosts[index]
    if not host.open:
        return
    for happened in ("prepared", "switched", "finished"):
        state = rules.hosts.get((host.state, happened))
        if state is not None:
            if happened != "finished" and (host.known or _decision(world, index)):
                continue
            after = _arrived(host, state)
            yield Step(f"host {index} is {state}", _host(world, index, after), alone=True)
    if host.state in ("preparing", "switching"):
        yield Step(f"host {index} fails", _alone(world, rules, index, "abort"))
    if host.state in protocol.ENDED:
        yield Step(f"host {index} closes", _host(world, index, _closed(host)), alone=True)
    elif (host.state, "lapse") in rules.hosts:
        yield Step(f"host {index} lapses", _alone(world, rules, index, "lapse"), alone=True)
    if host.state == "in-doubt":
        yield from _ask(world, rules, index)


def _alone(world: World, rules: Rules, index: int, happened: str) -> World:
    """A lapse or a failure; the witness records what it does, and so nobody finds otherwise."""
    host = world.hosts[index]
    state = rules.hosts[host.state, happened]
    if state in ("aborting", "reverted"):
        if index == WITNESS:
            world = _recorded(world, rules, "abort", host.open)
        host = host._replace(known="abort")
    return _host(world, index, _arrived(host, state))


def _ask(world: World, rules: Rules, index: int) -> Iterator[Step]:
    """A host in doubt proposes abort; the witness answers with what is recorded."""
    number = world.hosts[index].open
    recorded = _recorded(world, rules, "abort", number)
    if index == WITNESS:
        yield from _obey(recorded, rules, index, recorded.decisions[number - 1])
        return
    after = recorded._replace(told=recorded.told | {(number, index)})
    if after != world:
        yield Step(f"the witness answers host {index}", after, alone=True)
    if (number, index) in world.told:
        yield from _obey(world, rules, index, world.decisions[number - 1])


def _obey(world: World, rules: Rules, index: int, outcome: str) -> Iterator[Step]:
    host = world.hosts[index]
    state = rules.hosts.get((host.state, outcome))
    if state is not None and rules.may_obey(outcome, host.known):
        after = host._replace(state=state, known=outcome)
        yield Step(f"host {index} obeys {outcome}", _host(world, index, after), alone=True)


# --- small changes


def _recorded(world: World, rules: Rules, outcome: str, number: int) -> World:
    """The first outcome stays; `commit` takes the witness's own vote."""
    witness = world.hosts[WITNESS]
    state = witness.state if witness.open == number else CLOSED
    if world.decisions[number - 1] or not rules.may_record(outcome, state):
        return world
    decisions = list(world.decisions)
    decisions[number - 1] = outcome
    return world._replace(decisions=tuple(decisions))


def _decision(world: World, index: int) -> str:
    """What the witness reads from its own disk."""
    number = world.hosts[index].open
    return world.decisions[number - 1] if index == WITNESS and number else ""


def _arrived(host: Host, state: str) -> Host:
    """A host in its new state, with what it says of it."""
    said = host.said
    if state in ("prepared", "switched", *protocol.ENDED):
        said |= {(host.open, state)}
    if state not in protocol.ENDED:
        return host._replace(state=state, said=said)
    ended = list(host.ended)
    ended[host.open - 1] = state
    serving = host.open if state == "committed" else host.serving
    return host._replace(state=state, said=said, ended=tuple(ended), serving=serving)


def _opened(host: Host, number: int) -> Host:
    said = host.said | {(number, "joined")}
    return host._replace(open=number, state="acquired", known="", seen=number, said=said)


def _closed(host: Host) -> Host:
    said = host.said | {(host.open, "closed")}
    return host._replace(open=0, state=CLOSED, known="", said=said)


def _host(world: World, index: int, host: Host) -> World:
    return world._replace(hosts=(*world.hosts[:index], host, *world.hosts[index + 1 :]))


def _at(world: World, number: int, phase: str) -> World:
    controllers = list(world.controllers)
    controllers[number - 1] = phase
    return world._replace(controllers=tuple(controllers))
