"""`tandem sweep status`: how far studies are."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.output import JsonOption, show
from experiments.cli.sweep.options import StudiesArgument
from experiments.settings.project import Project

if TYPE_CHECKING:
    from experiments.sweep.status import Status


def status(
    name: StudiesArgument = None,
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it live, until Ctrl-C.")] = False,
) -> None:
    """Show how far studies are: finished, running and waiting trials, the best so far, the time left."""
    from experiments.sweep.lease import holder
    from experiments.sweep.status import status_of, to_table
    from experiments.sweep.storage import connect
    from experiments.sweep.study import load_studies

    if watch:
        from experiments.sweep.watch import follow

        follow(Project.find(), name)
        return
    storage = connect(Project.find())
    studies = load_studies(storage, name)
    statuses = [status_of(study, plan, holder(storage.engine, plan.name)) for study, plan in studies]
    rows = [asdict(row) | {"seconds_left": row.seconds_left} for row in statuses]
    show(rows, *([to_table(statuses)] if rows else []), *_remarks(statuses), as_json=as_json)


def _remarks(statuses: Sequence["Status"]) -> Iterator[str]:
    if not statuses:
        yield "No study yet. Next: `tandem sweep run --recipe cnn3-sgd`."
        return
    for row in statuses:
        if row.last_failure:
            yield f"{row.name}: the last trial that failed: {row.last_failure}"
        if row.running and not row.controller:
            yield f"{row.name}: nobody is at work on its running trials."
    if any(row.left and not row.controller for row in statuses):
        yield "Next: the same `tandem sweep run` resumes a study that isn't finished."
    else:
        yield "Next: `tandem sweep status NAME --watch` while it runs, then `tandem sweep report NAME`."
