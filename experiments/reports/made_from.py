"""What a figure or a table is made from, and the command that makes it again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.training.outputs import Outputs


@dataclass(frozen=True)
class MadeFrom:
    """The runs behind a part of a report: (name, MLflow id) of each; their commits; digests of their settings."""

    command: str
    runs: Sequence[tuple[str, str]] = ()
    commits: Sequence[str] = ()
    settings: Sequence[str] = ()

    @property
    def what(self) -> str:
        """How many runs, of which commit, in a few words."""
        count = len(self.runs)
        runs = f"{count} run{'' if count == 1 else 's'}" if count else "one report"
        if len(self.commits) > 1:
            return f"{runs} of {len(self.commits)} commits"
        return f"{runs} of commit {self.commits[0][:8]}" if self.commits else runs


def of_outputs(command: str, outputs: Iterable[Outputs]) -> MadeFrom:
    """Return what is made from the outputs of runs."""
    runs = list(outputs)
    tags = [run.record["tags"] for run in runs]
    names = [f"{tag['recipe']}-{tag['backend']}-{tag['seed']}" for tag in tags]
    return MadeFrom(
        command,
        [(name, str(run.record["mlflow_run_id"])) for name, run in zip(names, runs, strict=True)],
        list(dict.fromkeys(str(tag["git_commit"]) for tag in tags)),
        # The digest at the end of the tag is that of settings and data: the same for all seeds.
        list(dict.fromkeys(str(tag["pair"]).rsplit("-", 1)[-1] for tag in tags)),
    )


def read_made_from(command: str, values: Mapping[str, Any]) -> MadeFrom:
    """Return what a report in a file says that it is made from; one of an older version says nothing."""
    runs = [(str(name), str(run_id)) for name, run_id in values.get("runs", [])]
    return MadeFrom(command, runs, values.get("commits", []), values.get("settings", []))
