"""Images of one's own, brought in: each kind of source, with the real DVC."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.data import recorded
from experiments.data.importing.run import Wanted, check_replaceable, import_data
from experiments.data.raw import RawDataset, read_raw
from experiments.settings.params import Preprocess
from experiments.settings.project import Project
from experiments.stages.preprocess import preprocess
from experiments.system.errors import TandemError
from tests.data import odd

SPLIT = Preprocess(validation_fraction=0.25, seed=1)


def run(project: Project, *words: str) -> None:
    subprocess.run([*words], cwd=project.root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository of DVC alone; each import here replaces the data of the one before."""
    root = tmp_path_factory.mktemp("repository")
    project = Project(root, root)
    run(project, sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet")
    return project


def brought_in(project: Project, source: Path, **wanted: Any) -> RawDataset:
    return import_data(project, source, Wanted(**{"name": "fashion", "force": True, **wanted}), SPLIT)


def files(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.data.iterdir()}


def test_a_folder_of_pictures_becomes_the_user_s_own_data(repository: Project, tmp_path: Path) -> None:
    odd.pictures(tmp_path / "source")
    repository.data_file.write_text("deps:\n- path: downloads\nouts:\n- path: data\n")
    raw = brought_in(repository, tmp_path / "source")
    assert (raw.name, raw.classes, raw.class_names) == ("fashion", 3, ("a", "b", "c"))
    by_class = [number for label in range(3) for number in range(odd.TRAIN) if odd.LABELS[number] == label]
    np.testing.assert_array_equal(sorted(map(bytes, raw.train.images)), sorted(map(bytes, odd.GREY[by_class])))
    assert raw.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert raw.train.labels.dtype == np.uint16
    assert isinstance(raw.train.images, np.memmap)
    assert not recorded.imports_downloads(repository)
    assert recorded.recorded_digest(repository) == recorded.digest_of(repository.data)
    preprocess(SPLIT, repository.data, tmp_path / "prepared")


def test_numbers_are_in_their_order_and_some_of_each_are_held_out(repository: Project, tmp_path: Path) -> None:
    for number in (10, 9, 0, 1):
        for image in range(8):
            odd.png(tmp_path / "source" / str(number) / f"{image}.png", odd.GREY[image] // 16 * 16 + number)
    raw = brought_in(repository, tmp_path / "source", test_fraction=0.25)
    assert raw.class_names == ("0", "1", "9", "10")
    for split, count in ((raw.train, 6), (raw.test, 2)):
        assert np.bincount(split.labels).tolist() == [count] * 4
        assert (split.images % 16 == np.array([0, 1, 9, 10])[split.labels].reshape(-1, 1, 1, 1)).all()
    first = files(repository)
    brought_in(repository, tmp_path / "source", test_fraction=0.25)
    assert files(repository) == first


def test_pictures_of_several_sizes_and_modes(repository: Project, tmp_path: Path) -> None:
    source = tmp_path / "source"
    odd.pictures(source)
    red = Image.new("RGB", (20, 10), (200, 0, 0))
    red.save(source / "train" / "a" / "jpeg.JPG", quality=95)
    red.quantize().save(source / "train" / "a" / "palette.png")
    red.convert("RGBA").save(source / "train" / "a" / "opaque.png")
    turned = Image.new("RGB", (20, 10), (0, 0, 0))
    turned.paste((200, 0, 0), (0, 0, 10, 10))  # red on the left; on its side, red on top
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(source / "train" / "a" / "turned.jpg", quality=95, exif=exif)
    (source / "train" / ".DS_Store").touch()
    raw = brought_in(repository, source, size=4)
    assert raw.train.images.shape == (odd.TRAIN + 4, 4, 4, 3)
    reds = [image for image in raw.train.images if image[0, 0, 0] > 150 and image[0, 0, 1] < 20]
    assert sorted(image[3, 0, 0] > 150 for image in reds) == [False, True, True, True]


def test_16_bits_stay_16_bits(repository: Project, tmp_path: Path) -> None:
    for part, name in (("train", "x"), ("train", "y"), ("test", "x")):
        for number in range(4):
            pixels = np.full((3, 3), 60000 + number, np.uint16)
            odd.png(tmp_path / "source" / part / name / f"{number}.png", pixels)
    raw = brought_in(repository, tmp_path / "source")
    assert raw.train.images.dtype == np.uint16
    assert np.unique(raw.train.images).tolist() == [60000, 60001, 60002, 60003]
    assert brought_in(repository, tmp_path / "source", size=2).train.images.shape == (8, 2, 2, 1)


@pytest.mark.parametrize("keys", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels")])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_npz_in_colour(repository: Project, tmp_path: Path, keys: tuple[str, ...], order: Any) -> None:
    colour = np.asarray(np.random.default_rng(1).integers(0, 256, (24, 5, 4, 3), np.uint8), order=order)
    labels = (np.arange(24) % 3)[:, np.newaxis]  # as MedMNIST has them
    arrays: dict[str, Any] = dict(zip(keys, (colour, labels, colour[:6], labels[:6]), strict=False))
    np.savez_compressed(tmp_path / "source.npz", **arrays)
    raw = brought_in(repository, tmp_path / "source.npz")
    assert raw.class_names is None
    if len(keys) == 4:
        np.testing.assert_array_equal(raw.train.images, colour)
    else:
        assert {*map(bytes, raw.train.images), *map(bytes, raw.test.images)} == {*map(bytes, colour)}
        assert sorted(np.bincount(raw.test.labels)) == [1, 2, 2]


def test_idx_files_and_what_was_imported_once(repository: Project, tmp_path: Path) -> None:
    odd.idx(tmp_path / "idx")
    first = brought_in(repository, tmp_path / "idx")
    np.testing.assert_array_equal(first.train.images[..., 0], odd.GREY)
    repository.data.rename(tmp_path / "copy")
    second = brought_in(repository, tmp_path / "copy", name=None)
    assert second.name == "copy"
    np.testing.assert_array_equal(second.test.images, first.test.images)


def test_data_of_one_s_own_is_replaced_if_a_commit_names_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", tmp_path / "project")
    project.root.mkdir()
    for words in (("git", "init", "--quiet"), (sys.executable, "-m", "dvc", "init", "--quiet")):
        run(project, *words)
    odd.npz(tmp_path / "one.npz")
    import_data(project, tmp_path / "one.npz", Wanted("one"), SPLIT)
    with pytest.raises(TandemError, match="expected data that a commit names; got data of yours without one"):
        import_data(project, tmp_path / "one.npz", Wanted("two"), SPLIT)
    run(project, "git", "add", ".")
    run(project, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "one")
    check_replaceable(project)
    (project.data / "name.txt").unlink()
    with pytest.raises(TandemError, match=r"expected what data\.dvc records; got files that have changed since"):
        import_data(project, tmp_path / "one.npz", Wanted("two"), SPLIT)
    import_data(project, tmp_path / "one.npz", Wanted("two", force=True), SPLIT)
    assert read_raw(project.data).name == "two"
