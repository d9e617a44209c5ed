import pytest

from experiments.sweep.devices import share_gpus, visible_gpus
from experiments.system.errors import TandemError


def test_gpus_go_round() -> None:
    assert share_gpus(4, ["0", "1"], gpus_per_worker=0.5) == ["0", "1", "0", "1"]
    assert share_gpus(3, ["GPU-a", "GPU-b"], gpus_per_worker=0.25) == ["GPU-a", "GPU-b", "GPU-a"]


@pytest.mark.parametrize(("share", "room"), [(1.0, 2), (0.5, 4), (0.25, 8), (0.3, 6), (0.1, 20)])
def test_a_gpu_has_room_for_so_many(share: float, room: int) -> None:
    assert len(share_gpus(room, ["0", "1"], gpus_per_worker=share)) == room
    with pytest.raises(TandemError, match=f"--workers: expected at most {room}, since there are 2 GPU"):
        share_gpus(room + 1, ["0", "1"], gpus_per_worker=share)


def test_a_scheduler_s_choice_of_gpus_is_respected() -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2,5"}) == ["2", "5"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []
