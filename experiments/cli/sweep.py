"""The `tandem sweep` commands: parse, call one function, say where the results are."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli import complete
from experiments.cli.common import BackendOption, OnOption, backends_name, engine_name, load_project
from experiments.cli.options import grouped
from experiments.cli.output import JsonOption, show, show_checks
from experiments.settings.project import Project

if TYPE_CHECKING:
    from experiments.sweep.plan import Plan
    from experiments.sweep.run import Where
    from experiments.sweep.status import Status

app = typer.Typer(
    help="Tune the settings of a recipe with Optuna, on validation images alone.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

NameArgument = Annotated[
    str, typer.Argument(help="A study; `tandem sweep status` lists them.", autocompletion=complete.studies)
]
StudiesArgument = Annotated[
    str | None, typer.Argument(help="A study; by default, all of them.", autocompletion=complete.studies)
]
RecipeOption = Annotated[
    str, typer.Option(help="A name under `recipes` in params.yaml.", autocompletion=complete.recipes)
]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="Processes at the same time; they share the cores, or the GPUs. By default 1, for pairs 2."),
]


@dataclass(frozen=True)
class PlaceOptions:
    """Where trainings run."""

    on: OnOption = "local"
    workers: WorkersOption = None
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Although another process may be at work on it; that one stops.")
    ] = False

    def read(self) -> "Where":
        """Return what they ask for.

        Raises:
            TandemError: there is no such engine.
        """
        from experiments.sweep.run import Where

        return Where(engine_name(self.on), self.workers, take_over=self.take_over)

    @property
    def words(self) -> list[str]:
        """The options as they are typed."""
        words = ["--on", self.on, *([] if self.workers is None else ["--workers", str(self.workers)])]
        return [*words, *(["--take-over"] if self.take_over else [])]


@dataclass(frozen=True)
class LengthOptions:
    """How much a sweep trains."""

    trials: Annotated[int | None, typer.Option(help="Finished trials in all; by default `sweep.trials`.")] = None
    epochs: Annotated[int | None, typer.Option(help="Of each trial; by default `sweep.epochs`.")] = None

    @property
    def words(self) -> list[str]:
        """The options as they are typed."""
        given = {"--trials": self.trials, "--epochs": self.epochs}
        return [word for option, count in given.items() if count is not None for word in (option, str(count))]


@dataclass(frozen=True)
class SubmitOptions:
    """What is done instead of running a sweep here."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be submitted, and do nothing.")] = False
    detach: Annotated[bool, typer.Option("--detach", help="Run the controller as a job of its own (slurm).")] = False


@app.command()
@grouped
def run(
    recipe: RecipeOption,
    backend: BackendOption = "lightning",
    name: Annotated[str | None, typer.Option(help="The study; by default RECIPE-BACKEND.")] = None,
    length: LengthOptions = LengthOptions(),
    place: PlaceOptions = PlaceOptions(),
    submit: SubmitOptions = SubmitOptions(),
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


@app.command()
def check(
    recipe: RecipeOption = "lenet",
    backend: BackendOption = "both",
    on: OnOption = "local",
    workers: WorkersOption = None,
    patience: Annotated[float, typer.Option(help="Seconds that a worker may take to connect.")] = 300,
    as_json: JsonOption = False,
) -> None:
    """Try out, from a real worker, what a sweep needs there. Exit code 1 if anything is missing.

    Shared folder, data, code and versions, both frameworks and their device, disk, and how long a sweep would take.
    """
    from experiments.sweep.preflight import Preflight
    from experiments.sweep.run import SweepRequest, plan_sweep

    project, params = load_project()
    plan, _ = plan_sweep(project, params, SweepRequest(recipe, backends_name(backend), name=f"check-{on}"))
    rows = list(Preflight(project, params, plan, PlaceOptions(on, workers).read(), patience).run())
    bad = sum(row.state == "problem" for row in rows)
    command = f"tandem sweep run --recipe {recipe} --backend {backend} --on {on}"
    hint = f"Next: `{command}`." if not bad else f"{bad} to fix, then repeat."
    show_checks(rows, hint, as_json=as_json)
    raise typer.Exit(1 if bad else 0)


@app.command()
def stop(name: NameArgument) -> None:
    """Stop a sweep that runs elsewhere, as Ctrl-C does: its trials wait, and the same command resumes it."""
    from experiments.sweep.stop import stop_sweep

    stop_sweep(Project.find(), name)
    print(f"{name}: stopped; its trials wait. Next: the same `tandem sweep run` resumes it.")


@app.command()
def logs(
    name: NameArgument,
    lines: Annotated[int, typer.Option(min=1, help="How many of each file.")] = 20,
) -> None:
    """Show the ends of the logs of a sweep: its controller's, if it is detached, and its workers'."""
    from experiments.sweep.stop import log_files

    files = log_files(Project.find(), name)
    texts = {file: text for file in files if (text := file.read_text(errors="replace"))}
    for file, text in texts.items():
        print(f"== {file}")
        print("\n".join(text.splitlines()[-lines:]))
    if not texts:
        print(f"{len(files)} log(s), nothing in them yet: {files[-1].parent}")


@app.command()
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


@app.command()
def report(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a study on the page that `tandem report` opens: slices, importance, its trials; for pairs, the differences.

    With a table and plots in reports/sweeps/NAME/, and in the study's run in MLflow.
    """
    from experiments.reports.page.sweeps import SWEEP
    from experiments.reports.page.write import refresh_page
    from experiments.sweep.report import report
    from experiments.system.files import read_json

    project, params = load_project()
    text, files = report(project, name)
    refresh_page(project, params)
    content = read_json(project.sweep_report(name) / SWEEP)
    show(content, text, *(str(path.relative_to(project.root)) for path in files), as_json=as_json)


@app.command()
@grouped
def confirm(
    name: NameArgument,
    top: Annotated[int, typer.Option(help="How many of the best trials; the recipe's own settings are added.")] = 3,
    seeds: Annotated[int, typer.Option(help="How many fresh seeds; a verdict needs 3.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(help="Of each training; by default as many as the sweep's trials have.")
    ] = None,
    place: PlaceOptions = PlaceOptions(),
    as_json: JsonOption = False,
) -> None:
    """Train the best trials again with fresh seeds: which is really ahead?

    On the same validation images. The best after a few epochs need not be the best in the end: --epochs asks for
    longer trainings than the trials'. A repeat resumes; another --top, --seeds or --epochs is another confirmation.
    """
    from experiments.reports.page.write import refresh_page
    from experiments.sweep.confirm import ConfirmRequest, confirm
    from experiments.sweep.confirm_report import report_path, to_markdown
    from experiments.system.files import read_json

    project, params = load_project()
    asked = ConfirmRequest(name, top, seeds, epochs)
    confirmation = confirm(project, params, asked, place.read())
    refresh_page(project, params)
    file = report_path(project, confirmation)
    if confirmation.winner.own:
        hint = "Next: `tandem sweep run` with more --trials, or leave the recipe as it is."
    elif confirmation.doubts():
        hint = "Next: `tandem sweep confirm` with more --seeds, or `tandem sweep run` with more --trials."
    else:
        hint = f"Next: `tandem sweep promote {name}` makes the winner a recipe."
    files = f"{file.relative_to(project.root)}, .json, .png"
    show(read_json(file.with_suffix(".json")), to_markdown(confirmation), files, hint, as_json=as_json)


@app.command()
def promote(
    name: NameArgument,
    confirmation: Annotated[
        str | None,
        typer.Option(help="As its report is called, without `confirm-`; by default the newest complete one."),
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although the winner isn't proven to be ahead.")] = False,
    keep_split: Annotated[
        bool, typer.Option("--keep-split", help="Keep the original's `train_on` and `test_every_epoch`.")
    ] = False,
) -> None:
    """Make the confirmed winner a recipe, RECIPE-tuned in params.yaml, which `dvc repro` trains beside the original.

    It trains on what the sweep's trials did, the training split, so that the validation images can judge it.
    """
    from experiments.sweep.promote import SUFFIX, promote

    promoted, diff = promote(Project.find(), name, confirmation, anyway=anyway, keep_split=keep_split)
    print(diff)
    print(f"Confirmation {promoted.label}: {promoted.winner} wins")
    for doubt in promoted.doubts():
        print(f"Not proven: {doubt}")
    print(f"params.yaml: recipe {promoted.plan.recipe_name}{SUFFIX}, and both in train.recipes")
    print("Next: `dvc repro` trains it in full, and compares it with the original.")


@app.command()
def reconcile(
    name: StudiesArgument = None,
    apply: Annotated[bool, typer.Option("--apply", help="Repair what can be repaired.")] = False,
) -> None:
    """Compare trials, MLflow runs and processes; list what disagrees. Exit code 1 if anything is left that does."""
    from experiments.sweep.reconcile import reconcile

    disagreements = reconcile(Project.find(), name, apply=apply)
    for row in disagreements:
        print(f"{row.study}: {row.what}; {'done' if apply and row.repair else 'to do'}: {row.remedy}")
    left = [row for row in disagreements if not (apply and row.repair)]
    if not disagreements:
        print("Trials, MLflow runs and processes agree.")
    elif any(row.repair for row in left) and not apply:
        print("Next: `tandem sweep reconcile --apply` repairs this.")
    raise typer.Exit(1 if left else 0)
