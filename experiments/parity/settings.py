"""Examines settings: does each of them do the same to a training in both frameworks?"""

import shutil
from collections.abc import Mapping

from experiments.contract.model_settings import Precision
from experiments.data.dataset import Dataset
from experiments.parity.check import Quantity
from experiments.parity.examine import Examiner
from experiments.parity.jobs import Steps
from experiments.parity.mixed import BFLOAT16, MixedKey, mixed_quantities
from experiments.parity.protocol import PRECISIONS, base_recipe
from experiments.parity.results import Result, SettingResult, Training
from experiments.parity.run import pair_of_processes
from experiments.parity.starts import by_key
from experiments.parity.variants import ARCHITECTURE, LENGTH, VARIANTS, Variant
from experiments.settings.params import Params
from experiments.settings.recipe import BackendName, OptimiserName
from experiments.system.console import say
from experiments.system.isolated import JobFailed


class SettingsExaminer(Examiner):
    """Examines trainings of one network that differ in a setting; what it computes before a step is the same in all."""

    def _train(self, optimiser: OptimiserName, start: Mapping[Precision, list[Quantity]]) -> None:
        if self.recipe.precision != "bfloat16":
            super()._train(optimiser, start)
            return
        mixed, self.recipe = self.recipe, self.recipe.model_copy(update={"precision": "float32"})
        trainings = by_key([self._steps(self._job(precision, optimiser)) for precision in PRECISIONS])
        self.recipe = mixed
        in_bfloat16 = self._steps(self._job("float32", optimiser))
        both: dict[MixedKey, Steps] = {(backend, BFLOAT16): steps for backend, steps in in_bfloat16.items()}
        both |= trainings.items()
        quantities = mixed_quantities(both, self.parameters)
        self.result.trainings.append(Training(optimiser, BFLOAT16, [], [[each] for each in quantities]))
        self._judge(optimiser, [(BFLOAT16, quantities)])
        shutil.rmtree(self.folder)

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
