"""Holds what `make repro` left against the published figures of `lenet`; needs no packages."""

import csv
import json
import pathlib
import sys

PUBLISHED = (86.51, 91.28, 93.20, 94.82, 95.81)  # test accuracy in per cent after epochs 1 to 5
POINTS = 0.7

report = json.loads(pathlib.Path("reports/compare.json").read_text())
if report["dataset"] != "mnist":
    print(f"not compared with published figures: the dataset is {report['dataset']}")
    sys.exit()
histories = sorted(pathlib.Path("runs/lenet").glob("*/*/history.csv"))
failed = len(histories) != 2 or len(report["pairs"]) != 1
for path in histories:
    with path.open() as file:
        accuracies = [100 * float(row["test/accuracy"]) for row in csv.DictReader(file)]
    apart = [round(ours - theirs, 2) for ours, theirs in zip(accuracies, PUBLISHED, strict=True)]
    print(f"{path.parent}: test accuracy minus the published one, in points: {apart}")
    failed |= max(map(abs, apart)) > POINTS
for pair in report["pairs"]:
    failed |= not pair["same_start"] or abs(pair["difference"]["first_batch_loss"]) > 1e-5
sys.exit("lenet is not what was published, or the pair doesn't start alike" if failed else 0)
