"""The `tandem sweep` commands, a file each or for two that belong together; this is their order in the help."""

import typer

from experiments.cli.sweep import check, confirm, elsewhere, reconcile, report, run, status

app = typer.Typer(
    help="Tune the settings of a recipe with Optuna, on validation images alone.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

app.command()(run.run)
app.command()(check.check)
app.command()(elsewhere.stop)
app.command()(elsewhere.logs)
app.command()(status.status)
app.command()(report.report)
app.command()(confirm.confirm)
app.command()(confirm.promote)
app.command()(reconcile.reconcile)
