from experiments.settings.params import Params
from experiments.settings.project import Project
from experiments.sweep.preflight import Preflight
from experiments.sweep.run import Where
from tests.sweep.conftest import MakePlan


def test_an_engine_that_can_t_start_is_a_line_with_its_advice(project: Project, params: Params, make: MakePlan) -> None:
    slurm = params.engines.slurm.model_copy(update={"host": "192.0.2.1"})  # an address that no machine has
    params = params.model_copy(update={"engines": params.engines.model_copy(update={"slurm": slurm})})
    *_, line = Preflight(project, params, make(), Where("slurm"), patience=10).run()
    assert (line.what, line.state, line.remedy) == ("workers start", "problem", "null lets it be found")
    assert line.found.startswith(
        "the engine's host in params.yaml: expected an address of this machine; got 192.0.2.1: "
    )
