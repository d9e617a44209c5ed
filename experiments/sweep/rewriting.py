"""Runs that are written from what their trial knows, where MLflow has lost them."""

from collections.abc import Iterable

from optuna.trial import FrozenTrial

from experiments.settings.recipe import BackendName
from experiments.sweep.open_study import OpenStudy
from experiments.sweep.runs import PARENT_RUN, STATE, SWEEP, TRIAL, Member
from experiments.sweep.study import PARENT
from experiments.sweep.trials import results
from experiments.tracking import runs

# The tag of a run that was written from what its trial knows.
REWRITTEN = "written_afterwards"


def rewritten(known: Iterable[runs.Run], number: int, backend: BackendName) -> runs.Run | None:
    """Return the run that an earlier repair has written: Optuna doesn't let a finished trial note another id."""
    wanted = {TRIAL: str(number), "backend": backend, REWRITTEN: "true"}
    return next((run for run in known if wanted.items() <= run.data.tags.items()), None)


def rewrite(target: OpenStudy, experiment: str, trial: FrozenTrial, backend: BackendName) -> None:
    """Write the run of a member that MLflow has lost, from the settings and the objective of its trial."""
    plan = target.plan
    result = results(trial, plan.backends_of_trial).get(backend)
    steps = dict(enumerate(result.objective, 1)) if result else trial.intermediate_values
    tags = {
        SWEEP: plan.name,
        TRIAL: str(trial.number),
        "backend": backend,
        "recipe": plan.recipe_name,
        PARENT_RUN: target.study.user_attrs.get(PARENT, ""),
        STATE: trial.state.name.lower(),
    }
    points: list[tuple[str, float, int]] = [(plan.objective, value, step) for step, value in steps.items()]
    points += [("objective", value, step) for _, value, step in points[-1:]]
    name = Member(trial.number, backend).run_name
    written = runs.write_run(experiment, name, tags=tags, params=trial.params, points=points)
    runs.set_tag([written], REWRITTEN, "true")  # last: without it, the run is a stranger
