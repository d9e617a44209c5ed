"""`tandem sweep run`: here, or as a job of its own."""

from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.common import BackendOption, backends_name, load_project
from experiments.cli.options import grouped
from experiments.cli.sweep.options import LengthOptions, PlaceOptions, RecipeOption, SubmitOptions

if TYPE_CHECKING:
    from experiments.sweep.plan import Plan
    from experiments.sweep.run import Where


@grouped
def run(
    recipe: RecipeOption,
    backend: BackendOption = "lightning",
    name: Annotated[str | None, typer.Option(help="The study; by default RECIPE-BACKEND.")] = None,
    *,
    length: LengthOptions,
    place: PlaceOptions,
    submit: SubmitOptions,
) -> None:
    """Start a study, or resume it; Ctrl-C stops it cleanly, and the same command resumes it."""
    from experiments.sweep.run import SweepRequest, plan_sweep, run_sweep
    from experiments.sweep.storage import shown_url
    from experiments.sweep.study import summary

    project, params = load_project()
    asked = SweepRequest(recipe, backends_name(backend), length.trials, name, length.epochs)
    if submit.dry_run or submit.detach:
        plan, _ = plan_sweep(project, params, asked)
        command = ["sweep", "run", "--recipe", recipe, "--backend", backend, "--name", plan.name, *place.words]
        command += length.words
        _show_or_detach(plan, command, place.read(), submit)
        return
    study = run_sweep(project, params, asked, place.read())
    print(summary(study))
    print(f"Trials: {shown_url(project)}; runs: `tandem ui`")
    print(f"Next: `tandem sweep report {study.study_name}`, then `tandem sweep confirm {study.study_name}`.")


def _show_or_detach(plan: "Plan", command: list[str], asked: "Where", options: SubmitOptions) -> None:
    from experiments.sweep.detach import controller_script, submit
    from experiments.sweep.run import worker_script
    from experiments.system.errors import TandemError

    project, params = load_project()
    if options.detach and asked.on != "slurm":
        raise TandemError(f"--detach: expected --on slurm; got --on {asked.on}; on this machine, use nohup or tmux")
    name, script = plan.name, worker_script(project, params, asked, plan)
    if options.dry_run:
        if options.detach:
            folder = project.sweep(name)
            print(controller_script(params.engines.slurm, command, root=project.root, folder=folder, name=name))
        print(script)
        return
    job = submit(project, params.engines.slurm, command, name)
    print(f"The controller is job {job}.")
    print(f"Next: `tandem sweep status {name} --watch`, `tandem sweep logs {name}`, `tandem sweep stop {name}`.")
