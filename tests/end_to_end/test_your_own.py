"""docs/your-own.md, followed from the beginning to the end in a clone: own data, network, settings and sweep."""

from pathlib import Path

from tests.conftest import ROOT
from tests.end_to_end.conftest import give_environment, know_builds, make_clone, nobody
from tests.end_to_end.pages import Block, blocks

PAGE = ROOT / "docs" / "your-own.md"
# Done already: the environment is that of the test.
ELSEWHERE = {"make setup": ":", "source .venv/bin/activate": ":"}


def test_the_page_leads_from_a_clone_to_a_sweep(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "clone")
    clone.extra["PYTHONPATH"] = str(clone.root)  # `tandem` is installed from here, and is to know the clone's network
    clone.change_params(lambda content: content["data"].update(mirrors=[nobody()]))
    clone.commit()
    give_environment(clone.root)
    know_builds(clone.root)
    for block in blocks(PAGE):
        if block.role in ("file", "added to"):
            block.write(clone.root)
        elif block.is_run:
            output = clone.run("bash", "-euo", "pipefail", "-c", _commands(block))
            assert "Traceback" not in output
        elif block.language == "python":
            clone.run("python", "-c", block.text)
    assert (clone.root / "runs/shapenet/keras/12/metrics.json").is_file()
    assert "shapenet-lightning" in clone.run("tandem", "sweep", "status", "shapenet-lightning")


def _commands(block: Block) -> str:
    return "\n".join(ELSEWHERE.get(line, line) for line in block.lines)
