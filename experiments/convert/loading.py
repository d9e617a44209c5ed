"""How a converted model is loaded: a line of Python for whoever gets the file."""

import json
from pathlib import Path

from experiments.data.dataset import Dataset
from experiments.frameworks import ARCHITECTURES
from experiments.settings.recipe import BackendName

IMAGES = "test_images.npy"
# Each loads the file with the framework's own function, and answers five test images.
LINES: dict[BackendName, str] = {
    # The file has the network; the imports register Tandem's layers, and the architecture's own classes, if it has any.
    "keras": (
        "import keras, numpy, models_tf.backend.saved, {module}; "
        'model = keras.models.load_model("{folder}/model/model.keras"); '
        'print(model.predict(numpy.load("{images}")[:5], verbose=0).argmax(1))'
    ),
    # The file has the network, whatever it is made of.
    "lightning": (
        "import numpy, torch; "
        'model = torch.export.load("{folder}/model/model.pt2").module(); '
        'print(model(torch.from_numpy(numpy.load("{images}")[:5]).movedim(3, 1)).argmax(1))'
    ),
}


def line_to_load(backend: BackendName, architecture: str, folder: Path, dataset: Dataset) -> str:
    """Return a line of Python, for the working directory, that loads a model and answers five test images."""
    module = ARCHITECTURES[backend][architecture].split(":")[0]
    quoted = {
        name: json.dumps(str(near(path)))[1:-1]
        for name, path in (("folder", folder), ("images", dataset.folder / IMAGES))
    }
    return LINES[backend].format(module=module, **quoted)


def near(path: Path) -> Path:
    """Return a path as seen from the working directory, if it is below."""
    path, here = path.absolute(), Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
