from collections.abc import Callable

import pytest

from experiments.settings.params import Params
from experiments.sweep.launch import share_gpus, visible_gpus
from experiments.system.errors import TandemError

Shared = Callable[[int, str, float], list[str]]


@pytest.fixture
def shared(params: Params, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """Return the GPU of each worker, given the visible ones and each worker's share."""

    def share(workers: int, gpus: str, each: float) -> list[str]:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
        sweep = params.sweep.model_copy(update={"gpus_per_worker": each})
        return share_gpus(params.model_copy(update={"sweep": sweep}), workers)

    return share


def test_gpus_go_round(shared: Shared) -> None:
    assert shared(4, "0,1", 0.5) == ["0", "1", "0", "1"]
    assert shared(3, "GPU-a,GPU-b", 0.25) == ["GPU-a", "GPU-b", "GPU-a"]
    assert shared(3, "", 1) == []


@pytest.mark.parametrize(("share", "room"), [(1.0, 2), (0.5, 4), (0.25, 8), (0.3, 6), (0.1, 20)])
def test_a_gpu_has_room_for_so_many(shared: Shared, share: float, room: int) -> None:
    assert len(shared(room, "0,1", share)) == room
    with pytest.raises(TandemError, match=f"--workers: expected at most {room}, since there are 2 GPU"):
        shared(room + 1, "0,1", share)


def test_a_scheduler_s_choice_of_gpus_is_respected() -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2,5"}) == ["2", "5"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []
