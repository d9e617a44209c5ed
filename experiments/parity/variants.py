"""The settings of a training that parity proves, each as changes of a recipe: a new setting adds its rows here.

`experiments.parity.settings` examines them. Each change must move the first steps by more than rounding does: in the
tests, one framework leaves the setting out, and parity has to notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.parity.protocol import SETTINGS, Protocol
from experiments.settings.recipe import OptimiserName, Recipe

# Small, with all that a setting may treat in its own way: weights and biases, of convolutions and of a dense layer.
ARCHITECTURE = "conv5x5"
# 10 steps: two epochs of 5, the last of 6 images.
LENGTH = Protocol(images=70, batch_size=16, epochs=2)


@dataclass(frozen=True)
class Variant:
    """One of parity's optimisers (`protocol.SETTINGS`), and what it changes in a recipe."""

    optimiser: OptimiserName
    changes: Mapping[str, Any]

    def recipe(self, plain: Recipe) -> Recipe:
        """Return a recipe with the changes, checked as params.yaml is."""
        training = {**SETTINGS[self.optimiser], "batch_size": LENGTH.batch_size, "epochs": LENGTH.epochs}
        return Recipe.model_validate({**plain.model_dump(), **training, **self.changes})


# Decay is large, so that what it does to a step is well above rounding: lr·λ is 10⁻³ to 10⁻⁴ here.
VARIANTS: dict[str, Variant] = {
    "weight decay, SGD (coupled)": Variant("sgd", {"weight_decay": 0.1}),
    "weight decay, Adam (coupled)": Variant("adam", {"weight_decay": 0.1}),
    "weight decay, AdamW (decoupled)": Variant("adamw", {"weight_decay": 0.1}),
    "schedule, step": Variant("sgd", {"schedule": {"kind": "step", "every_epochs": 1}}),
    "schedule, cosine": Variant("sgd", {"schedule": {"kind": "cosine", "final_share": 0.01}}),
    "schedule, cosine, Adam": Variant("adam", {"schedule": {"kind": "cosine"}}),
    "schedule, one cycle": Variant("sgd", {"schedule": {"kind": "one_cycle"}}),
    "schedule, warm-up": Variant("sgd", {"schedule": {"kind": "constant", "warmup_steps": 4}}),
    "schedule, warm-up of an epoch, AdamW": Variant(
        "adamw", {"weight_decay": 0.1, "schedule": {"kind": "cosine", "warmup_epochs": 1}}
    ),
    # The norms of the 10 steps are 1.3 to 3: some are clipped at 1.5, others aren't, and all are at 1. The factor,
    # c / max(norm, c), has no jump, so rounding can't make one: no bound needs to be wider.
    "gradients clipped, SGD": Variant("sgd", {"clip_norm": 1.5}),
    "gradients clipped, Adam": Variant("adam", {"clip_norm": 1.5}),
    "gradients clipped, then decayed": Variant("sgd", {"clip_norm": 1.0, "weight_decay": 0.1}),
    "label smoothing": Variant("sgd", {"label_smoothing": 0.1}),
    "augmentation": Variant("sgd", {"augmentation": {"shift": 2, "flip": True, "rotate": 10.0}}),
    # Compared otherwise: `experiments.parity.mixed`.
    "bfloat16": Variant("sgd", {"precision": "bfloat16"}),
}
