"""params.yaml changed by a command: comments and order stay, and no other change is lost."""

import ast
import difflib
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from experiments.settings.params import Params, parse_params
from experiments.settings.project import Project
from experiments.system.errors import TandemError
from experiments.system.files import replace_durably
from experiments.system.locks import exclusive
from experiments.system.urls import one_line

# In place of a value: the key is to be removed.
ABSENT = object()


def edit_params(project: Project, change: Callable[[Params, CommentedMap], None]) -> str:
    """Let `change` edit the content of params.yaml, given its settings, and return a unified diff.

    Raises:
        TandemError: the file was or becomes invalid, another process edits it, or it has changed meanwhile.
    """
    with exclusive(project.params_lock, "params.yaml"):
        before = project.params.read_text()
        after = edited(before, change)
        _write(project.params.resolve(), before, after)
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "params.yaml", "params.yaml", lineterm="", n=1)
    return "\n".join(diff)


def edited(text: str, change: Callable[[Params, CommentedMap], None]) -> str:
    """Return the text of params.yaml after a change.

    Raises:
        TandemError: the text is invalid, before or after.
    """
    params, yaml = parse_params(text), _round_trip()
    content = yaml.load(text)
    change(params, content)
    stream = io.StringIO()
    yaml.dump(content, stream)
    after = stream.getvalue().rstrip("\n") + "\n"
    parse_params(after)
    return after


def set_values(path: Path, values: Mapping[tuple[str, ...], object]) -> None:
    """Set keys, such as ("train", "threads"), in a params.yaml of any version, which isn't checked; remove ABSENT ones.

    Raises:
        TandemError: it is no YAML, or a section of these keys is missing.
    """
    yaml = _round_trip()
    try:
        content = yaml.load(path.read_text())
        for (*sections, key), value in values.items():
            section = content
            for name in sections:
                section = section[name]
            if value is ABSENT:
                section.pop(key, None)
            else:
                section[key] = value
    except (YAMLError, LookupError, TypeError) as error:
        keys = ", ".join(".".join(each) for each in values)
        raise TandemError(f"{path}: expected YAML with the keys {keys}; got an error: {one_line(error)}") from None
    with path.open("w") as file:
        yaml.dump(content, file)


def value_of(text: str) -> object:
    """Return what MLflow keeps as the text of a setting: a number, a truth value, a mapping, or a text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _round_trip() -> YAML:
    """Return a reader and writer that keeps comments, quotes, order and indentation."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda representer, value: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _write(path: Path, before: str, after: str) -> None:
    """Replace a file if its text is still `before`; keep its mode."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(after)
    part = Path(file.name)
    try:
        shutil.copymode(path, part)
        # An editor takes no lock.
        if path.read_text() != before:
            raise TandemError("params.yaml: expected no other change meanwhile; got one; repeat the command")
        replace_durably(part, path)
    finally:
        part.unlink(missing_ok=True)
