"""*switch*: traffic goes to the new copies; what can only run once is restarted in place."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

from tidegate.host import clock, copies, edge, fronts, generations, strategies, systemd
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import write_if_changed
from tidegate.host.front import get_live, set_live
from tidegate.host.generations import Generation
from tidegate.host.prepare import at_switch


def prepared(ctx: Context) -> Generation:
    """The generation that this deployment prepared."""
    found = generations.load(ctx.paths, ctx.number)
    if found is None or found.layout is None:
        raise HostError(
            "input",
            "not-prepared",
            f"{ctx.record['deployment']} was not prepared here",
            subject=ctx.record["deployment"],
        )
    return found


def switch(ctx: Context, due: float = 0.0) -> Dict[str, Any]:
    """All callers are led to the new copies at once; then what runs in place is restarted.

    `due` is the instant (seconds of CLOCK_BOOTTIME) before which nothing is turned: the hosts of
    a batch have read and written by then what takes each of them another time.
    """
    new, old = prepared(ctx), generations.current(ctx.paths)
    assert new.layout is not None
    in_place = at_switch(new, old)
    _write_in_place(ctx, new, in_place)
    with ctx.step("switch"):
        while clock.boottime() < due:
            ctx.check()
            time.sleep(min(0.02, max(0.0, due - clock.boottime())))
        began = time.monotonic()
        changed_hands = _hand_over(ctx, new, old)
        switched = _turn_fronts(ctx, new)
        switched += turn_edge(ctx, new)
        turned = clock.boottime()
        copies.bring_up(ctx, new.release, new.layout, in_place, lambda _: None)
        outage_ms = (time.monotonic() - began) * 1000 if in_place or changed_hands else 0.0
    return {
        "switched": sorted(set(switched)),
        "recreated": in_place,
        "outage_ms": round(outage_ms, 1),
        "turned_at": turned,
    }


def _turn_fronts(ctx: Context, new: Generation) -> List[str]:
    assert new.layout is not None
    turned = []
    for name in copies.ordered(new.release):
        slot = new.layout["services"][name]["slot"]
        folder = fronts.folder(ctx.paths, name)
        if name in fronts.fronted(new.release, new.layout) and get_live(folder) != slot:
            set_live(folder, slot)
            turned.append(name)
    return turned


def _hand_over(ctx: Context, new: Generation, old: Optional[Generation]) -> bool:
    """Names and ports that a container and a front or the edge cannot both have."""
    if old is None or old.layout is None:
        return False
    assert new.layout is not None
    gaining, losing = strategies.gaining(new, old), strategies.losing(new, old)
    units = [unit for name in gaining for unit in old.layout["services"][name]["units"]]
    units += [fronts.unit(old.release, name) for name in losing]
    if units:
        systemd.stop(units)
    for name in gaining:
        if name in fronts.fronted(new.release, new.layout):
            fronts.ensure(ctx, new.release, new.layout, name)
            generations.store_layout(ctx.paths, new.layout)
    if fronts.moved(new, old):
        fronts.stake(ctx, new, None)
    return bool(units)


def turn_edge(ctx: Context, target: Generation) -> List[str]:
    """Point the edge at the slots of `target`; returns the services that were turned."""
    places = fronts.places(ctx.paths)
    names = fronts.at_edge(ctx.paths)
    wanted = fronts.live(target, ctx.paths.instance)
    known = edge.get_live(places)
    turn = {
        f"{ctx.paths.instance}/{name}": wanted.get(f"{ctx.paths.instance}/{name}", "")
        for name in names
    }
    turn = {key: slot for key, slot in turn.items() if known.get(key, "") != slot}
    if turn:
        edge.set_live(places, turn)
    return [key.split("/", 1)[1] for key in turn]


def _write_in_place(ctx: Context, new: Generation, names: List[str]) -> None:
    assert new.layout is not None
    texts: Dict[str, str] = {}
    for name in names:
        texts.update(new.layout["units"][name])
    written = [
        write_if_changed(ctx.paths.units / name, text, 0o644) for name, text in texts.items()
    ]
    if any(written):
        systemd.daemon_reload()
