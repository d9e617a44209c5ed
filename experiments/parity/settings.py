"""Examines settings: does each of them do the same to a training in both frameworks?"""

from collections.abc import Mapping

from experiments.data.dataset import Dataset
from experiments.parity.examine import Examiner, pair_of_processes
from experiments.parity.protocol import base_recipe
from experiments.parity.results import Result, SettingResult
from experiments.parity.variants import ARCHITECTURE, LENGTH, VARIANTS, Variant
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName
from experiments.system.console import say
from experiments.system.isolated import JobFailed


class SettingsExaminer(Examiner):
    """Examines trainings of one network that differ in a setting; what it computes before a step is the same in all."""

    def examine_settings(self, variants: Mapping[str, Variant]) -> list[SettingResult]:
        """Return the result of each variant, after `structure`."""
        start, network = self._start(), self.recipe
        results = []
        for number, (name, variant) in enumerate(variants.items(), 1):
            # Where the network itself differs, no setting of its training is the same.
            self.result = Result(name, [], problems=list(self.problems) if number == 1 else [])
            self.recipe, self.problems = variant.recipe(network), self.result.problems
            try:
                self._train(variant.optimiser, start)
            except JobFailed as error:
                self.problems.append(str(error))
            results.append(SettingResult(name, variant, self.problems, self.result.trainings))
            say(f"setting {number}/{len(variants)}: {name}: {next(iter(self.problems), 'the same')}")
        return results


def run_settings(dataset: Dataset, params: Params, backends: tuple[BackendName, BackendName]) -> list[SettingResult]:
    """Examine each setting, with both frameworks at work at the same time, each in a process of its own.

    Raises:
        TandemError: a process refuses the device, or has ended.
    """
    with pair_of_processes(params, backends) as (processes, folder):
        recipe = base_recipe(params, ARCHITECTURE)
        examiner = SettingsExaminer(processes, dataset, recipe, folder / "steps", LENGTH)
        examiner.structure()
        return examiner.examine_settings(VARIANTS)
