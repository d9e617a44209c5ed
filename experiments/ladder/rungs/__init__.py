"""The rungs in NumPy: what those of `models_torch.ladder` and `models_tf.ladder` are held against."""

RUNGS: dict[str, str] = {
    "linear_regression": "experiments.ladder.rungs.linear_regression:train",
    "manual": "experiments.ladder.rungs.manual:train",
}
