"""When a training ends before its last epoch: from the rows of its epochs alone, the same for both frameworks."""

from collections.abc import Mapping

from experiments.settings.recipe import Recipe

History = Mapping[int, Mapping[str, float]]


def last_epoch(recipe: Recipe, history: History) -> int:
    """Return the epoch after which a training ends, as far as the rows of its epochs tell.

    That is the first one with `patience` epochs in a row, itself the last of them, that haven't improved on the best
    one before by more than `min_delta`; without one, the recipe's last. A NaN is no improvement. Keras's and
    Lightning's callbacks count so, too.
    """
    rule = recipe.early_stopping
    if rule is None:
        return recipe.epochs
    sign = 1 if rule.metric == "val/accuracy" else -1
    best, since = float("-inf"), 0
    for epoch, row in sorted(history.items()):
        value = sign * row[rule.metric]
        best, since = (value, 0) if value > best + rule.min_delta else (best, since + 1)
        if since >= rule.patience:
            return min(epoch, recipe.epochs)
    return recipe.epochs
