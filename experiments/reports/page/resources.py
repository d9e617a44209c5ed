"""Where time and memory go: the phases of each training, one bar a framework, and its peak memory."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from experiments.contract.phases import PHASES
from experiments.reports.page.charts import GREY, style
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Part, Section, Table, Text
from experiments.reports.page.source import Pairs, Source
from experiments.system.colours import COLOURS

# How much of its colour a phase has, white being the rest, and the pattern on it: neighbours differ in both.
LOOKS = {
    "imports": (0.35, "/"),
    "building": (0.75, ""),
    "compiling": (0.5, "x"),
    "training": (1.0, ""),
    "scoring": (0.45, "."),
    "logging": (0.75, "\\"),
    "checkpoints": (0.3, "+"),
    "other": (0.15, ""),
}
MEMORY = {"peak_memory_mb": "peak memory (MB)", "peak_device_memory_mb": "peak memory of the GPU (MB)"}
ABOUT = (
    "Seconds of the wall clock, from the start of the process until its figures were logged; mean over the seeds. "
    "Imports: everything until the framework is loaded. Compiling: tracing Keras's training graph, which TensorFlow "
    "optimises within the first step; PyTorch compiles nothing here. Training: the steps, and what the framework does "
    "around them. A training that was resumed adds up its processes. Memory: the most that the process itself held."
)


def resources_section(source: Source) -> Section:
    """Return bars and tables of each recipe."""
    parts: list[Part] = [part for pairs in source.pairs for part in _of(pairs)]
    data = {
        pairs.recipe: {
            seed: {backend: run.record.get("resources") for backend, run in runs.items()}
            for seed, runs in pairs.by_seed.items()
        }
        for pairs in source.pairs
    }
    answer = (
        "What does a training spend its time on, beside training? A bar is a whole process, in a framework's colour."
    )
    return Section("resources", "Where time and memory go", [*parts, Text(ABOUT)], data=data, answer=answer)


def _of(pairs: Pairs) -> Iterator[Part]:
    if not all("resources" in run.record for runs in pairs.by_seed.values() for run in runs.values()):
        yield Text(f"{pairs.recipe}: not measured by the version that trained these runs.")
        return
    yield Chart(bars(pairs), f"Seconds of each phase of {pairs.recipe}", pairs.made_from)
    yield _table(pairs)
    yield _seeds(pairs)


def _mean(pairs: Pairs, backend: str) -> dict[str, float]:
    """Return the mean over the seeds of each phase, and of each peak that was measured in all of them."""
    runs = [_flat(runs[backend].record["resources"]) for runs in pairs.by_seed.values()]
    return {name: fmean(run[name] for run in runs) for name in runs[0] if all(name in run for run in runs)}


def _flat(resources: Mapping[str, Any]) -> dict[str, float]:
    seconds: dict[str, float] = {phase: resources["seconds"].get(phase, 0.0) for phase in PHASES}
    peaks = {name: float(resources[name]) for name in MEMORY if name in resources}
    return {**seconds, "total": sum(seconds.values()), **peaks}


def bars(pairs: Pairs) -> go.Figure:
    """Return a stacked bar a framework; colour is the framework, shade and pattern the phase."""
    figure, means = go.Figure(), {backend: _mean(pairs, backend) for backend in reversed(pairs.backends)}
    for phase in PHASES:
        strength, pattern = LOOKS[phase]
        values = [mean[phase] for mean in means.values()]
        figure.add_bar(
            orientation="h",
            name=phase,
            x=values,
            y=[name_of(backend) for backend in means],
            text=[f"{phase}<br>{value:.1f} s" for value in values],
            textposition="inside",
            textangle=0,
            insidetextfont={"color": "white" if strength > 0.6 else "black"},
            insidetextanchor="middle",
            hovertemplate=f"%{{y}}, {phase}: %{{x:.2f}} s<extra></extra>",
            marker=_marker([_mix(COLOURS[backend], strength) for backend in means], pattern),
            showlegend=False,
        )
    for phase in reversed(PHASES):  # Plotly turns the legend of stacked bars round; it is of neither framework
        strength, pattern = LOOKS[phase]
        figure.add_bar(x=[None], y=[None], name=phase, marker=_marker(_mix(GREY, strength), pattern), orientation="h")
    figure.update_layout(barmode="stack", uniformtext={"minsize": 10, "mode": "hide"})
    figure.update_xaxes(title_text="seconds")
    seeds = len(pairs.by_seed)
    what = f"mean of {seeds} seeds" if seeds > 1 else f"seed {next(iter(pairs.by_seed))}"
    return style(figure, f"{pairs.recipe}, {what}", 320)


def _marker(colour: str | list[str], pattern: str) -> dict[str, Any]:
    shape = {"shape": pattern, "fgcolor": "rgba(0,0,0,0.35)", "size": 7, "solidity": 0.2, "fillmode": "overlay"}
    return {"color": colour, "line": {"color": "white", "width": 1}, "pattern": shape}


def _mix(colour: str, strength: float) -> str:
    """Return a colour, #rrggbb, of which so much is left on white."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - part)):02x}" for part in parts)


def _table(pairs: Pairs) -> Table:
    means = {backend: _mean(pairs, backend) for backend in pairs.backends}
    rows = [[f"{name} (s)", *(f"{mean[name]:.2f}" for mean in means.values())] for name in (*PHASES, "total")]
    rows += [
        [title, *(f"{mean[name]:,.0f}" if name in mean else "" for mean in means.values())]
        for name, title in MEMORY.items()
        if any(name in mean for mean in means.values())
    ]
    return Table(("", *map(name_of, means)), rows, f"{pairs.recipe}: seconds and memory", made_from=pairs.made_from)


def _seeds(pairs: Pairs) -> Table:
    names = ("total", *PHASES, "peak_memory_mb")
    rows = []
    for seed, runs in pairs.by_seed.items():
        for backend, run in runs.items():
            flat = _flat(run.record["resources"])
            rows.append([str(seed), name_of(backend), *(f"{flat[name]:.2f}" for name in names)])
    head = ("seed", "framework", *(f"{name} (s)" for name in names[:-1]), MEMORY[names[-1]])
    title = f"Each seed of {pairs.recipe}: seconds and memory"
    return Table(head, rows, title, folded=True, made_from=pairs.made_from)
