"""How the page's figures look: one style, and axes that can be read."""

from collections.abc import Iterable

import plotly.graph_objects as go
from matplotlib.ticker import MaxNLocator

GREY = "#666666"
DARK = "#222222"


def style(figure: go.Figure, title: str, height: int) -> go.Figure:
    """Return the figure in the page's style, with its legend below."""
    figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
        template="plotly_white",
        height=height,
        font={"family": "system-ui, sans-serif", "size": 13, "color": DARK},
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        margin={"l": 65, "r": 20, "t": 70, "b": 90},
        hoverlabel={"bgcolor": "white", "font": {"color": DARK}, "namelength": -1},
    )
    figure.update_annotations(font_size=14)
    axis = {
        "automargin": True,
        "linecolor": "#b0b0b0",
        "ticks": "outside",
        "tickcolor": "#b0b0b0",
        "title_font_size": 13,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def log_axis(values: Iterable[float]) -> dict[str, object]:
    """Return a logarithmic axis around the values, with ticks that don't crowd; a linear one if one isn't positive."""
    known = [value for value in values if value is not None]
    if not known or min(known) <= 0:
        return {"type": "linear"}
    ticks = log_ticks(min(known), max(known))
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def log_ticks(low: float, high: float) -> list[float]:
    """Return from 2 to about 8 round numbers from `low` to `high`, both positive, or just outside."""
    if high < 6 * low:
        return [float(tick) for tick in MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if tick > 0]
    decades = range(-12, 13)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if 2 <= len(inside) <= 8:
            return inside
    return [tick for tick in ticks if low <= tick <= high][::2]
