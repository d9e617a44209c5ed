"""Architectures that can't be built: their files in both frameworks, and what is said of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.settings.recipe import BackendName

START: dict[BackendName, str] = {
    "lightning": "from collections import OrderedDict\nimport torch; from torch import nn\n",
    "keras": "import keras\nfrom keras import layers\n",
}
# From here on, lines count from 3.
NETWORK: dict[BackendName, str] = {
    "lightning": "def build(classes):\n    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), {}))\n",
    "keras": "def build(classes):\n    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), {}])\n",
}
CLASS: dict[BackendName, str] = {
    "lightning": """class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.output = nn.Linear(700, classes)

    def forward(self, images):
        return self.output(images.flatten(1))

build = Network
""",
    "keras": """class Network(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.flatten = layers.Flatten()

    def call(self, images):
        return self.flatten(images) @ keras.ops.zeros((700, 10))

build = Network
""",
}


OWN: dict[BackendName, str] = {
    "lightning": """class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1))

    def forward(self, inputs):
        return self.factor * inputs

""",
    "keras": """class Own(layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(1,), name="factor")

    def call(self, inputs):
        return self.factor * inputs

""",
}


@dataclass(frozen=True)
class Fault:
    """A file of each framework, and a pattern of what is said of it, after the file's name."""

    source: str | Mapping[BackendName, str]
    said: str | Mapping[BackendName, str]

    def file(self, backend: BackendName) -> str:
        return START[backend] + (self.source if isinstance(self.source, str) else self.source[backend])

    def message(self, backend: BackendName) -> str:
        return self.said if isinstance(self.said, str) else self.said[backend]


def layers(torch: str, keras: str) -> dict[BackendName, str]:
    """The files of a network that ends with these layers."""
    return {"lightning": NETWORK["lightning"].format(torch), "keras": NETWORK["keras"].format(keras)}


def each(torch: str, keras: str) -> dict[BackendName, str]:
    return {"lightning": torch, "keras": keras}


FAULTS = {
    "missing": Fault(
        "import nowhere\n",
        r", line 3: expected a module that can be imported; got ModuleNotFoundError: No module named",
    ),
    "syntax": Fault(
        "def build(classes):\n    return (\n",
        r", line 4: expected a module that can be imported; got SyntaxError: '\(' was never closed; correct",
    ),
    "misspelt": Fault(
        layers("output=nn.linear(784, classes)", "layers.dense(classes)"),
        each(
            r", line 4: expected a network from build\(classes\); got .* 'linear' \(did you mean 'Linear'\?\)",
            r", line 4: expected a network from build\(classes\); got .* 'dense' \(did you mean 'Dense'\?\)",
        ),
    ),
    "raising": Fault(
        "def build(classes):\n    raise ValueError('two\\nlines')\n",
        r", line 4: expected a network from build\(classes\); got ValueError: two lines; correct it, and repeat",
    ),
    "signature": Fault(
        "def build(outputs): ...\n",
        r": expected a network from build\(classes\); got TypeError: .* unexpected keyword argument 'classes'; correct",
    ),
    "nothing": Fault(
        "def build(classes): ...\n",
        each(
            r": expected build\(classes\) to return a torch\.nn\.Module; got NoneType; return the network",
            r": expected build\(classes\) to return a keras\.Layer; got NoneType; return the network",
        ),
    ),
    "narrow": Fault(
        each(layers("output=nn.Linear(700, classes)", "")["lightning"], layers("", "")["keras"].replace("28,", "20,")),
        each(
            r": expected a network for images of 28×28×1; got RuntimeError: layer output, given \(784,\): mat1",
            r": expected a network for images of 28×28×1; got ValueError: Input 0 with name .* is incompatible",
        ),
    ),
    "class": Fault(
        CLASS,
        each(
            r", line 9: .* got RuntimeError: layer output, given \(784,\): mat1 and mat2 shapes cannot be multiplied",
            r", line 9: .* got ValueError: .* Dimensions must be equal, but are 784 and 700 for ",
        ),
    ),
    "logits": Fault(
        layers("output=nn.Linear(784, 3)", "layers.Dense(3)"),
        r": expected logits \(2, 10\) for two images; got \(2, 3\); return one for each class",
    ),
    "unknown": Fault(
        each(
            OWN["lightning"] + layers("own=Own()", "")["lightning"],
            OWN["keras"] + layers("", "Own(name='own')")["keras"],
        ),
        r": layer own \(\S*Own\): expected parameters and state of a known kind of layer; got factor; use a known",
    ),
}
