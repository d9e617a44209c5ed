"""A complete training: to the last epoch, scored on the test set, with plots and model in its run."""

from collections.abc import Callable
from dataclasses import replace

from experiments.contract.backend import Listener
from experiments.contract.layer_table import layer_table
from experiments.reports.note import describe, log_wrong_answers
from experiments.reports.plots import training_plots
from experiments.settings.project import Project
from experiments.training.outputs import PREDICTIONS, Outputs, format_answers, make_outputs
from experiments.training.recorder import Recorder
from experiments.training.resources import to_record
from experiments.training.session import Session, end_tags, track_files


def _alone(recorder: Recorder) -> Listener:
    return recorder


def train_completely(project: Project, session: Session, around: Callable[[Recorder], Listener] = _alone) -> Outputs:
    """Train an open session to its end, and log all that belongs to its run; return what it leaves.

    `around` makes a listener that passes everything to the recorder.
    """
    training, tracker, phases = session.training, session.tracker, session.backend.phases
    with phases("logging"):
        track_files(project.params, training.code.checkout, tracker)
        tracker.text(layer_table(session.layers), "layers.md")
    recorder = Recorder(session, load_test=lambda: training.dataset.split("test"))
    session.train(around(recorder))
    outputs = make_outputs(session, recorder.finish(session.model))
    with phases("logging"):
        tracker.text(format_answers(outputs), PREDICTIONS)
        tracker.tags(end_tags(session))
        for name, plot in training_plots(training.key, training.dataset, outputs).items():
            tracker.plot(plot, name)
        log_wrong_answers(tracker, training.dataset, outputs)
        tracker.model(training.key.backend, session.model, images=training.dataset.split("train").images[:2])
        tracker.note(describe(training, outputs, tracker.run_id))
        tracker.flush()
    session.log_resources()
    return replace(outputs, record={**outputs.record, "resources": to_record(session.state)})
