"""A sweep as parallel coordinates: each trial a line through its settings."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from matplotlib.ticker import MaxNLocator

from experiments.reports.page.charts import log_ticks, style
from experiments.reports.page.sweep_charts import WIDE, Trials, names_of

# In place of the value of a setting that a trial lacks.
MISSING = object()


def parallel(sweep: Mapping[str, Any], complete: Trials) -> go.Figure:
    """Return the trials as lines through their settings, which can be brushed; the darkest is the best."""
    objective = sweep["objective"]
    dimensions = [
        _dimension(name, [trial["params"].get(name, MISSING) for trial in complete], space)
        for name, space in sweep["space"].items()
    ]
    values = [trial["value"] for trial in complete]
    wide = min(values) > 0 and max(values) > WIDE * min(values)
    last = _dimension(objective, values, {"low": min(values), "high": max(values), "log": wide})
    colours = {"color": last["values"], "colorscale": "Cividis", "reversescale": objective.endswith("accuracy")}
    figure = go.Figure(go.Parcoords(dimensions=[*dimensions, last], line=colours, labelfont_size=14))
    style(figure, f"{sweep['name']}: each line a trial, the darkest the best; drag along an axis to choose some", 440)
    figure.update_layout(margin={"l": 70, "r": 60, "t": 110, "b": 30})
    return figure


def _dimension(name: str, values: Sequence[Any], space: Mapping[str, Any]) -> dict[str, Any]:
    """Return an axis; trials that lack the setting are below its lowest value."""
    if choices := space.get("choices"):
        places: dict[float, str] = dict(enumerate(names_of(choices)))
        numbers: list[Any] = [value if value is MISSING else choices.index(value) for value in values]
    elif space.get("log") and space["low"] < space["high"]:
        places = {math.log10(tick): f"{tick:g}" for tick in log_ticks(space["low"], space["high"])}
        numbers = [value if value is MISSING else math.log10(value) for value in values]
    else:
        places, numbers = {}, list(values)
    low, high = _ends(space)
    if MISSING not in numbers:
        axis = {"label": name, "values": numbers, **({"range": [low, high]} if low < high else {})}
        return {**axis, "tickvals": list(places), "ticktext": list(places.values())} if places else axis
    if not places:
        places = {float(tick): f"{tick:g}" for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high}
    below = low - 0.15 * (high - low)
    places |= {below: "none"}
    numbers = [below if value is MISSING else value for value in numbers]
    return {
        "label": name,
        "values": numbers,
        "range": [below, high],
        "tickvals": list(places),
        "ticktext": list(places.values()),
    }


def _ends(space: Mapping[str, Any]) -> tuple[float, float]:
    if choices := space.get("choices"):
        return 0, len(choices) - 1
    low, high = space["low"], space["high"]
    return (math.log10(low), math.log10(high)) if space.get("log") and low < high else (low, high)
