"""What a training's run says of itself in MLflow, besides metrics: a description, and the images it answers wrongly."""

import numpy as np

from experiments.contract.run_log import RunLog
from experiments.data.dataset import Dataset
from experiments.training.outputs import Outputs
from experiments.training.training import Training

CURVES, WRONG = "learning_curves.png", "wrong_answers.json"
# Of the first test images that are answered wrongly: two runs then show the same ones side by side.
MOST = 100


def describe(training: Training, outputs: Outputs, run_id: str) -> str:
    """Return the result, how to repeat the run, and the learning curves, as Markdown."""
    metrics, tags = outputs.metrics, outputs.record["tags"]
    wrong = int((outputs.actual != outputs.predicted).sum())
    changes = ", with changes (git.diff)" if tags["git_dirty"] == "true" else ""
    shown = f"the first {MOST}" if wrong > MOST else "them"
    lines = [
        f"Test accuracy **{100 * metrics['test/accuracy']:.2f} %**, test loss {metrics['test/loss']:.4f}: {wrong} of "
        f"{len(outputs.actual)} images of {training.dataset.name} are answered wrongly; {WRONG} shows {shown}.",
        f"Repeat it: `tandem reproduce {run_id}`. It was `tandem train {training.key}` at commit "
        f"`{tags['git_commit']}`{changes}, with Python {outputs.record['environment']['python']}.",
        f"![learning curves](get-artifact?path={CURVES}&run_uuid={run_id})",
    ]
    return "\n\n".join(lines)


def log_wrong_answers(tracker: RunLog, dataset: Dataset, outputs: Outputs) -> None:
    """Keep the test images that are answered wrongly, with number, answer, label, and the answer's probability."""
    wrong = np.flatnonzero(outputs.actual != outputs.predicted)[:MOST]
    if len(wrong):
        # The numbers of classes without names stay numbers: they are sorted as such.
        names = dataset.class_names or range(dataset.classes)
        # Of two runs side by side, MLflow compares the second column where the first is the same.
        columns = {
            "number": wrong.tolist(),
            "answer": [names[label] for label in outputs.predicted[wrong]],
            "label": [names[label] for label in outputs.actual[wrong]],
            "probability": outputs.probability[wrong].round(4).tolist(),
        }
        tracker.images(WRONG, np.asarray(dataset.split("test").images[wrong]), columns)
