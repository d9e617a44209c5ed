import socket
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.settings.project import Project
from tests.conftest import ROOT

HEAVY = {"torch", "tensorflow", "mlflow", "lightning", "keras", "sklearn", "pandas", "numpy"}


def tandem(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "experiments", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_help_lists_a_command_for_each_stage() -> None:
    text = tandem("--help").stdout
    for stage in ("download", "preprocess", "sources", "train", "compare", "ui", "runs", "check"):
        assert f"│ {stage} " in text


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['tandem', 'train', '--help']\n"
        "from experiments.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "lennet", "keras", "1"), "tandem: params.yaml: recipes: expected one of the recipes "),
        (("train", "lenet", "jax", "1"), "tandem: BACKEND: expected one of lightning, keras; got 'jax'"),
        (("train", "lenet", "keras", "1"), "no prepared dataset; run `dvc repro preprocess`"),
        (("compare",), "run missing; `dvc repro train@lenet-lightning-12` makes it"),
        (
            ("sweep", "check", "--backend", "jax"),
            "tandem: --backend: expected one of lightning, keras, both; got 'jax'",
        ),
        (("ops", "sum", "rond"), "); got 'rond'; did you mean round"),
        (("export", "nosuch", "--to", "jax"), "tandem: --to: expected one of onnx, torch-export, saved-model, keras, "),
        (
            ("export", "nosuch", "--to", "onnx", "--out", ""),
            "tandem: --out: expected a folder; got an empty name; name ",
        ),
        (("convert", "nosuch"), "tandem: RUN: expected a folder such as runs/lenet/keras/12, its label, "),
        (("predict", "nosuch", "params.yaml"), "tandem: params.yaml: expected a PNG or JPEG image; got something else"),
        (("predict", "nosuch"), "tandem: IMAGE: expected a PNG, JPEG, IDX or .npy file of images, or "),
        (("preprocess",), "expected the IDX file train-images-idx3-ubyte"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(project: Project, words: tuple[str, ...], message: str) -> None:
    done = _in_project(project, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def _in_project(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    code = "from experiments.cli.main import main; main()"
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)


def test_bad_settings_stop_every_command_before_it_touches_anything(project: Project) -> None:
    project.params.write_text(project.params.read_text().replace("momentum: 0.5", "momentum: 1.2", 1))
    before = sorted(project.root.rglob("*"))
    for words in (("download",), ("preprocess",), ("train", "lenet", "keras", "1"), ("compare",), ("check",)):
        done = _in_project(project, *words)
        assert (done.returncode, done.stderr.splitlines()) == (
            2,
            ["tandem: params.yaml: recipes.lenet.momentum: expected less than 1; got 1.2"],
        )
    assert sorted(project.root.rglob("*")) == before


def test_outside_a_project_the_error_says_so(tmp_path: Path) -> None:
    code = "from experiments.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "expected params.yaml and dvc.yaml, here or above" in done.stderr


def test_a_disk_without_room_is_one_line(project: Project, idx_folder: Path) -> None:
    # The system refuses files above this size, as it does on a full disk.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from experiments.cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, "preprocess"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert idx_folder == project.data
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith("; fix that, and repeat the command\n")
    assert not (project.prepared / "dataset.json").exists()


def test_ui_refuses_a_port_that_is_taken(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = _in_project(project, "ui", "--port", port)
    assert done.returncode == 2
    assert f"--port: expected a free port; {port} is taken" in done.stderr
