"""Where a command that somebody types writes what the pipeline makes, too: never over what DVC keeps."""

import os
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from experiments.settings.project import Project


def for_command(project: Project, output: Path) -> Project:
    """Return the project as this command is to write to it: with its results in by-hand/ if DVC keeps `output`.

    DVC takes an output that it hasn't written for a change: it runs the stage again, and `dvc checkout` refuses. A
    stage of the pipeline, which DVC starts, writes to its own place.
    """
    if "DVC_STAGE" in os.environ or not _is_kept(project, output):
        return project
    return project.for_hand()


def _is_kept(project: Project, output: Path) -> bool:
    """Return whether dvc.lock names an output, or something in it; one that can't be read may name all."""
    try:
        stages = YAML(typ="safe").load(project.dvc_lock)["stages"]
        kept = [project.root / out["path"] for stage in stages.values() for out in stage.get("outs", [])]
    except FileNotFoundError:
        return False
    except (YAMLError, LookupError, TypeError, AttributeError):
        return True
    return any(path == output or output in path.parents for path in kept)
