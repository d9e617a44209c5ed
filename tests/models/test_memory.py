"""A process that trains many models keeps none of them: a worker of a sweep goes on for days."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Counts what is left of two trainings: modules, graphs, and the copies of the images on the device.
LEFT = """
import gc, json, sys
import numpy as np
from pathlib import Path
from experiments.contract.backend import TrainingSettings, model_settings
from experiments.frameworks import load_backend
from experiments.data.dataset import Statistics
from experiments.settings.params import load_params

name = sys.argv[1]
backend = load_backend(name, device="cpu", threads=1)
recipe = load_params(Path("params.yaml")).recipe(sys.argv[2]).model_copy(update={"epochs": 1, "batch_size": 50})
images, labels = np.zeros((200, 28, 28), np.uint8), np.zeros(200, np.uint8)

class Listener:
    def steps_done(self, *heard): pass
    def epoch_done(self, epoch, seconds, model): model.predict(images)

def train():
    settings = model_settings(recipe, image_shape=(28, 28), classes=10, statistics=Statistics(0.1, 0.3))
    model = backend.build(settings)
    backend.train(model, images, labels, TrainingSettings(recipe, 1, 2), checkpoint=None, listener=Listener())

def left():
    backend.forget_models()
    gc.collect()  # what finalizers have let go
    if name == "keras":
        from tensorflow.python.framework.func_graph import FuncGraph
        from models_tf.backend.training import KerasRecipe
        kinds = (FuncGraph, KerasRecipe)
    else:
        from models_torch.backend.training import LitRecipe
        from models_torch.backend.model import TorchModel
        kinds = (LitRecipe, TorchModel)
    return [sum(isinstance(one, kind) for one in gc.get_objects()) for kind in kinds]

train()
train()
print(json.dumps(left()))
"""


@pytest.mark.parametrize("recipe", ["cnn3-sgd", "cnn3"])
@pytest.mark.parametrize("backend", ["lightning", "keras"])
def test_nothing_is_left_of_a_training(backend: str, recipe: str) -> None:
    command = [sys.executable, "-c", LEFT, backend, recipe]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [0, 0]
