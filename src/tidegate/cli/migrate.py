"""``tidegate migrate``: contract migrations that are still owed, without a deployment."""

from __future__ import annotations

from tidegate.cli.output import print_json, say


def migrate(
    environment: str = "",
    /,
    *,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Run the contract migrations that what serves still owes, where one failed for example.

    Expand migrations belong to a deployment. Going back behind a contract is refused afterwards.
    Example: tidegate migrate production

    Args:
        environment: Its name; may be left out where there is only one.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.pipeline.migrating import contract

    live = Progress(quiet=json)
    target = app.choose(environment, file=config)
    name = target.environment.name
    try:
        found = app.attach(target, live, full=True)
        with app.phase(live, "contract"):
            done = contract(name, found)
        found.close()
    finally:
        live.close()
    if json:
        rows = [{"service": t.service, "host": host, "ran": ran} for host, t, ran in done]
        print_json("migrated", {"environment": name, "contracts": rows})
        return
    for host, task, ran in done:
        say(f"{'ran' if ran else 'nothing to do'}: {task.service} on {host}: {task.words}")
    if not done:
        say(f"{name} owes no migration")
