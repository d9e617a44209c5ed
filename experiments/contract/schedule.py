"""The learning rate of every step, computed once, in float64, for both frameworks.

A training takes the rate of step k from the table, wherever it was resumed.
"""

import numpy as np
import numpy.typing as npt

from experiments.settings.recipe import Recipe
from experiments.settings.schedule import KEYS, Schedule

Rates = npt.NDArray[np.float64]


def steps_of_epoch(recipe: Recipe, images: int) -> int:
    """Return the number of batches of an epoch, a last short one included unless the recipe drops it."""
    return images // recipe.batch_size if recipe.drop_last else -(-images // recipe.batch_size)


def warmup_of(recipe: Recipe, images: int) -> int:
    """Return the number of steps of a recipe's warm-up."""
    if recipe.schedule is None:
        return 0
    return recipe.schedule.warmup_steps or (recipe.schedule.warmup_epochs or 0) * steps_of_epoch(recipe, images)


def learning_rates(recipe: Recipe, images: int) -> Rates | None:
    """Return the learning rate of each step of a training on so many images, float64 (steps,); None: no schedule.

    The warm-up rises in equal parts to the first rate of the kind, which it has at its last step (Goyal et al., 2017,
    section 2.2). The kind's own schedule takes the steps that remain.
    """
    if recipe.schedule is None:
        return None
    epoch, warmup = steps_of_epoch(recipe, images), warmup_of(recipe, images)
    steps = epoch * recipe.epochs
    shares = _shares(recipe.schedule, max(steps - warmup, 1), epoch)
    rise = shares[0] * np.arange(1, warmup + 1) / max(warmup, 1)
    return recipe.lr * np.concatenate([rise, shares])[:steps]


def _shares(schedule: Schedule, steps: int, epoch: int) -> Rates:
    """Return the rates as shares of the recipe's; `epoch` is the number of its steps.

    - step: gamma^⌊k / (every_epochs · epoch)⌋.
    - cosine: from 1 towards `final_share`, which the step after the last one would have (Loshchilov and Hutter, SGDR,
      2017, equation 5, without restarts; PyTorch's CosineAnnealingLR).
    - one_cycle: half a cosine from 1/div_factor up to 1, which ends at the step number pct_start · steps, and half a
      cosine down to 1/(div_factor · final_div_factor) at the last step, as PyTorch's OneCycleLR has them by default.
      Smith and Topin (2018) have straight lines and a third phase. The momentum stays.
    """
    k = np.arange(steps, dtype=np.float64)
    options = {name: schedule.number(name) or 0.0 for name in KEYS[schedule.kind]}
    if schedule.kind == "step":
        return options["gamma"] ** np.floor(k / (options["every_epochs"] * epoch))
    if schedule.kind == "cosine":
        return _half_cosine(1.0, options["final_share"], k / steps)
    if schedule.kind == "one_cycle":
        first, top = 1 / options["div_factor"], options["pct_start"] * steps - 1
        up = _half_cosine(first, 1.0, k / top) if top > 0 else np.ones(steps)
        down = _half_cosine(1.0, first / options["final_div_factor"], (k - top) / (steps - 1 - top))
        return np.where(k <= top, up, down)
    return np.ones(steps)


def _half_cosine(start: float, end: float, part: Rates) -> Rates:
    return end + (start - end) * (1 + np.cos(np.pi * part)) / 2
