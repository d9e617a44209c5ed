"""What MLflow keeps of a run's exports; a repeat replaces it."""

from pathlib import Path

from mlflow import MlflowClient


def log_export(run_id: str, kind: str, verdict: str, record: Path) -> None:
    """Give a run, which may have ended long ago, the record of an export in a format, and a tag with its verdict.

    Raises:
        StoreError: the store has no such run, or doesn't take it.
    """
    client = MlflowClient()
    client.log_artifact(run_id, str(record), f"exports/{kind}")
    client.set_tag(run_id, f"export.{kind}", verdict)
