"""How fast the page of 500 runs is written and opens: `python -m benchmarks.page [--recipes N] [--seeds N]`.

Against the page of a single pair, of the same made-up outputs: 10,000 test images of ten classes, twenty epochs. It is
opened in Chromium, from a file; the goal is 5 seconds until it is loaded and its first figure drawn.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.chromium import Browser, resize, start
from benchmarks.made_up import Size, write_dataset, write_pairs
from benchmarks.workload import ROOT
from experiments.reports.page.write import write_page
from experiments.settings.params import load_params
from experiments.settings.project import Project

SIZE = Size(images=10_000, classes=10, epochs=20)
GOAL = 5.0
ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """Seconds to write the page, to load it, and until its first figure is drawn; and its size, in 10⁶ bytes."""

    written: float
    loaded: float
    drawn: float
    megabytes: float

    def __str__(self) -> str:
        """Return the four, in words."""
        opened = f"loaded in {self.loaded:.2f} s, first figure drawn after {self.drawn:.2f} s"
        return f"written in {self.written:.2f} s, {opened}, {self.megabytes:.1f} MB"


def measure(browser: Browser, folder: Path, recipes: int, seeds: int) -> Measured:
    """Return what the page of so many pairs takes; of opening it, the fastest of three times."""
    project = Project(folder, folder)
    folder.mkdir()
    (folder / "dvc.yaml").touch()
    names, numbers = [f"recipe{number}" for number in range(recipes)], list(range(1, seeds + 1))
    write_dataset(project.prepared, SIZE)
    write_pairs(project, names, numbers, SIZE)
    params = load_params(ROOT / "params.yaml")
    train = params.train.model_copy(update={"recipes": names, "seeds": numbers})
    project.reports.mkdir()
    started = time.perf_counter()
    page = write_page(project, params.model_copy(update={"train": train}))
    written = time.perf_counter() - started
    opened = sorted(open_page(browser, page) for _ in range(ROUNDS))
    drawn, loaded = opened[0]
    return Measured(written, loaded, drawn, page.stat().st_size / 1e6)


def open_page(browser: Browser, page: Path) -> tuple[float, float]:
    """Return the seconds until the first figure is drawn, and those until the page is loaded."""
    browser.get("about:blank")
    started = time.perf_counter()
    browser.get(page.as_uri())
    loaded = time.perf_counter() - started
    browser.execute_script("document.querySelector('.chart').scrollIntoView()")
    drawn = "return document.querySelector('.chart .main-svg') !== null"
    WebDriverWait(browser, 60, poll_frequency=0.02).until(lambda shown: shown.execute_script(drawn))
    return time.perf_counter() - started, loaded


def main() -> None:
    """Measure both pages, and exit with 1 if the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("--recipes", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    browser = start()
    if browser is None:
        sys.exit("expected Chromium with its driver; got none (Debian: apt install chromium chromium-driver)")
    resize(browser, 1600, 1000)
    try:
        with tempfile.TemporaryDirectory() as folder:
            one = measure(browser, Path(folder) / "one", 1, 1)
            print(f"1 pair, the baseline: {one}", flush=True)
            many = measure(browser, Path(folder) / "many", asked.recipes, asked.seeds)
    finally:
        browser.quit()
    print(f"{asked.recipes * asked.seeds} pairs ({asked.recipes} recipes, {asked.seeds} seeds): {many}")
    print(f"{many.drawn / one.drawn:.1f} times as long until the first figure; goal: below {GOAL:.0f} s")
    sys.exit(1 if many.drawn > GOAL else 0)


if __name__ == "__main__":
    main()
