"""The hidden defaults of both installed frameworks, and what Tandem does about them: `tandem defaults`."""

from collections.abc import Mapping
from importlib import import_module

from experiments.frameworks import PACKAGES
from experiments.parity.sides import Side, run_once

NORMALISATION = "PyTorch's, in both (models_tf/backend/normalisation.py); tandem parity compares the statistics"
ROUNDED = "not rounded to float32 in either (models_tf/backend/activations.py)"
NUMPY = "NumPy draws every initial weight, as the recipe says; both load the same"
# A test checks that every default of the frameworks is a key here.
TANDEM: Mapping[str, str] = {
    "axes of images": "each its own; weights are transposed on loading and saving, after a flatten too",
    "dense weight": NUMPY,
    "dense bias": NUMPY,
    "convolution weight": NUMPY,
    "convolution bias": NUMPY,
    "SGD settings": "every setting comes from the recipe",
    "SGD formula": "PyTorch's, in both (models_tf/backend/optimizers.py)",
    "Adam settings": "lr from the recipe; betas 0.9, 0.999 and epsilon 1e-8 in both",
    "Adam epsilon": "as in PyTorch, in both (models_tf/backend/optimizers.py)",
    "weight decay": "none in either",
    "weight decay, if any": "none in either",
    "cross-entropy reduction": "the mean over the batch, in both",
    "cross-entropy takes": "logits, in both (from_logits=True)",
    "last short batch": "kept, or left out by `drop_last` of the recipe, in both",
    "shuffling": "one order for both, drawn by NumPy for each epoch",
    "convolution, same padding": "used with stride 1 only, where both agree",
    "max pooling by 2": "complete windows only, in both",
    "max pooling that rounds up": "`ceil_mode=True` in PyTorch where Keras pads (cnn3)",
    "average pooling, padded": "padded with zeros first, which count, in both",
    "dropout": "each framework's own draws; the distribution is tested (tandem parity)",
    "batch norm epsilon": NORMALISATION,
    "batch norm momentum": NORMALISATION,
    "batch norm variance kept": NORMALISATION,
    "layer norm epsilon": "a twin gives Keras PyTorch's; tandem parity names the layer otherwise",
    "group norm epsilon": "a twin gives Keras PyTorch's; tandem parity names the layer otherwise",
    "GELU": "the exact one in both, unless a twin says otherwise (models_tf/backend/activations.py)",
    "GELU in float64": ROUNDED,
    "leaky ReLU slope": "PyTorch's, in both (models_tf/backend/activations.py)",
    "leaky ReLU in float64": ROUNDED,
    "PReLU start": NUMPY,
    "LSTM biases of a gate": "one, as in Keras, in both (models_torch/backend/recurrent.py)",
    "LSTM forget gate's bias": NUMPY,
    "GRU's first gate": "each its own; the first two change places on loading and saving",
    "embedding start": NUMPY,
    "attention takes the batch": "first, in both; PyTorch's without `batch_first` is refused",
    "same with stride 2 of 6 pixels": "PyTorch's numbers, in both (models_tf/backend/padding.py)",
    "TensorFloat-32 convolutions on a GPU": "off in both",
}


def read_defaults() -> list[tuple[str, str, str, str]]:
    """Return (what, PyTorch, Keras, Tandem) for each default; each framework is asked in a process of its own.

    Raises:
        TandemError: a framework can't be asked.
    """
    answers = run_once("defaults", "the code that asks for its defaults", _ask)
    return [(name, value, answers["keras"][name], TANDEM[name]) for name, value in answers["lightning"].items()]


def _ask(side: Side) -> dict[str, str]:
    answers: dict[str, str] = import_module(f"{PACKAGES[side.backend]}.backend.defaults").defaults()
    return answers
