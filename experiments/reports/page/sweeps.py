"""The sweeps whose report or confirmation has been written: what their trials show."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reports.made_from import read_made_from
from experiments.reports.page.confirmations import confirmation_parts
from experiments.reports.page.names import name_of
from experiments.reports.page.section import Chart, Heading, Part, Section, Table, Text
from experiments.reports.page.sweep_charts import STATES, importance, slices
from experiments.reports.page.sweep_pairs import pair_differences
from experiments.reports.page.sweep_parallel import parallel
from experiments.settings.tuned import cells
from experiments.system.files import read_json

# What `tandem sweep report` leaves for the page.
SWEEP = "sweep.json"
ANSWER = (
    "Which settings are good, and is the winner's lead more than luck? A trial is judged by one seed on the validation "
    "images; only a confirmation with fresh seeds tells merit from luck."
)


def sweeps_section(reports: Path) -> Section:
    """Return each sweep: slices, importance, parallel coordinates, trials, confirmations."""
    parts: list[Part] = []
    found = {file.parent: read_json(file) for file in sorted((reports / "sweeps").glob(f"*/{SWEEP}"))}
    for folder, sweep in found.items():
        parts += _of(sweep)
        for file in sorted(folder.glob("confirm-*.json")):
            parts += confirmation_parts(read_json(file))
    answer = ANSWER if parts else "No sweep has a report yet: `tandem sweep report NAME` writes one."
    data = {sweep["name"]: sweep for sweep in found.values()}
    return Section("sweeps", "Sweeps", parts, "tandem sweep report NAME", data, answer)


def _of(sweep: Mapping[str, Any]) -> list[Part]:
    done = [trial for trial in sweep["trials"] if trial["value"] is not None and math.isfinite(trial["value"])]
    complete = [trial for trial in done if trial["state"] == "COMPLETE"]
    origin = read_made_from(f"tandem sweep report {sweep['name']}", sweep.get("made_from", {}))
    parts: list[Part] = [Heading(f"Sweep {sweep['name']}"), Text(_summary(sweep, complete))]
    name = sweep["name"]
    if done:
        parts.append(Chart(slices(sweep, done), f"The objective against each setting, {name}", origin))
    ranges = sweep.get("importance", {})
    if ranges.get("settings"):
        parts.append(Chart(importance(sweep), f"The importance of each setting, {name}", origin))
    elif ranges:
        parts.append(Text(f"Importance of the settings: not shown, since {ranges['why_not']}."))
    if len(complete) > 1:
        parts.append(Chart(parallel(sweep, complete), f"The settings of each trial, {name}", origin))
    if sweep["backends"] and len(complete) > 1:
        parts.append(Chart(pair_differences(sweep, complete), f"The difference of the frameworks, {name}", origin))
    parts.append(Table(*_trials(sweep), folded=True, made_from=origin))
    return parts


def _summary(sweep: Mapping[str, Any], complete: list[Mapping[str, Any]]) -> str:
    counts = {state: sum(trial["state"] == state for trial in sweep["trials"]) for state in STATES}
    states = ", ".join(f"{count} {STATES[state][1]}" for state, count in counts.items() if count)
    objective, epochs = sweep["objective"], sweep["epochs"]
    where = " and ".join(map(name_of, sweep["backends"] or [sweep["backend"]]))
    text = f"Recipe {sweep['recipe']} in {where}, {epochs} epoch{'' if epochs == 1 else 's'} a trial; {states}."
    if not complete:
        return text
    best = (min if objective.endswith("loss") else max)(complete, key=lambda trial: trial["value"])
    own = next((trial for trial in complete if trial["own"]), None)
    against = f"; the recipe's own settings: {own['value']:.4f}" if own and own is not best else ""
    return f"{text} Best {objective}: {best['value']:.4f} in trial {best['trial']}{against}."


def _trials(sweep: Mapping[str, Any]) -> tuple[list[str], list[list[str]], str]:
    names, backends = list(sweep["space"]), list(sweep["backends"])
    rows = [
        [
            f"{trial['trial']}{', own settings' if trial['own'] else ''}",
            STATES.get(trial["state"], ("", trial["state"].lower()))[1],
            *cells(trial["params"], names).values(),
            *(f"{trial['of'][backend]:.4f}" if trial["of"].get(backend) is not None else "–" for backend in backends),
            f"{trial['value']:.4f}" if trial["value"] is not None else "–",
            trial["reason"],
        ]
        for trial in sweep["trials"]
    ]
    head = ["trial", "state", *names, *map(name_of, backends), sweep["objective"], "remark"]
    return head, rows, f"{sweep['name']}: all {len(rows)} trials"
