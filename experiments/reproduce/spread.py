"""The final metrics of the same training with other seeds, as MLflow has them."""

from experiments.reproduce.record import Record, settings_of
from experiments.tracking.reader import Reader


def other_seeds(reader: Reader, record: Record) -> dict[int, dict[str, float]]:
    """Return seed → final metrics, of the newest finished run of each other seed.

    Its settings, data, backend, code and versions are the run's; its threads need not be.
    """
    key, epoch = record.key, record.trace.epochs
    tags = {"recipe": key.recipe, "backend": key.backend, "dataset_fingerprint": record.trace.data}
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found: dict[int, dict[str, float]] = {}
    for run in reader.search(f"{query} and attributes.status = 'FINISHED'"):
        seed = int(run.data.tags.get("seed", key.seed))
        alike = settings_of(run) == record.settings and run.data.params.get("code") == record.trace.code
        if seed == key.seed or seed in found or not alike:
            continue
        # A trial that was pruned has values of fewer epochs.
        points = {name: reader.points(run.info.run_id, name) for name in record.trace.final()}
        if all(epoch in values for values in points.values()):
            found[seed] = {name: values[epoch] for name, values in points.items()}
    return found
