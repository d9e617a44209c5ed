"""Holds what `make repro` left against the published results of `lenet`."""

import csv
import json
import pathlib
import sys

from experiments.reports.published import PUBLISHED

POINTS = 0.7

report = json.loads(pathlib.Path("reports/compare.json").read_text())
if report["dataset"] != "mnist":
    print(f"not compared with published results: the dataset is {report['dataset']}")
    sys.exit()
published = [result.value for result in PUBLISHED["lenet"] if result.metric == "test/accuracy"]
histories = sorted(pathlib.Path("runs/lenet").glob("*/*/history.csv"))
failed = len(histories) != 2 or len(report["pairs"]) != 1
for path in histories:
    with path.open() as file:
        ours = [float(row["test/accuracy"]) for row in csv.DictReader(file)]
    differences = [round(100 * (a - b), 2) for a, b in zip(ours, published, strict=True)]
    print(f"{path.parent}: test accuracy minus the published one, in points: {differences}")
    failed |= max(map(abs, differences)) > POINTS
for pair in report["pairs"]:
    failed |= not pair["same_start"] or abs(pair["difference"]["first_batch_loss"]) > 1e-5
sys.exit("lenet is not what was published, or the pair doesn't start alike" if failed else 0)
