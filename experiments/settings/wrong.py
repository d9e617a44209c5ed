"""What is said of a wrong value in params.yaml, in one line, where pydantic takes several."""

import re
import reprlib
from collections.abc import Sequence
from types import NoneType
from typing import Any, cast, get_args

from pydantic import ValidationError

from experiments.settings.recipe import Misfit, Section

# Where pydantic speaks of Python.
_EXPECTED = {
    "missing": "a value for this key",
    "string_pattern_mismatch": "a name of lower-case letters, digits, '-' and '_'",
    "too_short": "a list of at least one item",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "model_type": "keys with values",
    "dict_type": "keys with values",
}
_GOT = {"missing": "nothing", "extra_forbidden": "an unknown key"}


def one_line(error: ValidationError, root: type[Section]) -> str:
    """Return the first wrong key of the file, what was expected and what was got; `root` is the model of the file."""
    # A misspelt key is two errors, one unknown and one missing: report the first.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    kind, location = problems[0]["type"], [part for part in problems[0]["loc"] if part != "[key]"]
    keys = f"one of {', '.join(_section(root, location[:-1]).model_fields)}" if kind == "extra_forbidden" else None
    expected = keys or _EXPECTED.get(kind) or re.sub("^(Value error, |Input should be )", "", problems[0]["msg"])
    where, more = ".".join(map(str, location)), f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    rule = problems[0].get("ctx", {}).get("error")
    # A rule on a whole recipe says itself what it got: nobody wants to read all of the recipe.
    got = f"; {_remedy(where, rule)}" if isinstance(rule, Misfit) else ""
    if len(location) != 2 or not isinstance(problems[0]["input"], dict):
        got = f"; got {_GOT.get(kind) or reprlib.repr(problems[0]['input'])}"
    return f"params.yaml: {where or 'the file'}: expected {expected}{got}{more}"


def _remedy(where: str, misfit: Misfit) -> str:
    """Return which keys have to go and come, also as `dvc exp run -S` takes it (Hydra's syntax)."""
    steps = [f"remove {name} (-S '~{where}.{name}')" for name in misfit.remove]
    return " and ".join([*steps, *(f"add {name} (-S '+{where}.{name}=0')" for name in misfit.add)])


def _section(root: type[Section], location: Sequence[int | str]) -> type[Section]:
    """Return the model of a section of the file, as the annotations have it."""
    kind: Any = root
    for step in location:
        kind = kind.model_fields[step].annotation if hasattr(kind, "model_fields") else get_args(kind)[-1]
        kind = get_args(kind)[0] if NoneType in get_args(kind) else kind
    return cast(type[Section], kind)
