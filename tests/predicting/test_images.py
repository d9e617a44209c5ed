"""Images in files: those that a model takes, and one line for each that it doesn't."""

import gzip
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.data.idx import to_idx
from experiments.predicting.choice import Takes
from experiments.predicting.images import Given, look_at_files, parse_index, read_images
from experiments.system.errors import TandemError

GREY = Takes((28, 28, 1), np.dtype(np.uint8), (0.13,))
DEEP = Takes((28, 28, 1), np.dtype(np.uint16))
COLOUR = Takes((28, 28, 3), np.dtype(np.uint8))
DIGIT = np.pad(np.arange(100, 200, dtype=np.uint8).reshape(10, 10), 9)
COLOURS = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)


def read(*paths: Path, takes: Takes = GREY, index: list[int] | None = None) -> Given:
    return read_images(look_at_files(paths), takes, index)


def saved(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return path


def palette(path: Path) -> Path:
    """Write a digit as a picture whose palette has every grey, the other way round."""
    image = Image.fromarray(255 - DIGIT, "P")
    image.putpalette([grey for value in range(256) for grey in [255 - value] * 3])
    image.save(path)
    return path


WRITTEN: dict[str, Callable[[Path], object]] = {
    "grey.png": lambda path: saved(path, DIGIT),
    "alpha.png": lambda path: saved(path, DIGIT, "LA"),
    "colours.png": lambda path: saved(path, DIGIT, "RGBA"),
    "palette.png": palette,
    "one.npy": lambda path: np.save(path, DIGIT),
    "some-idx3-ubyte": lambda path: path.write_bytes(to_idx(DIGIT[np.newaxis])),
    "some-idx3-ubyte.gz": lambda path: path.write_bytes(gzip.compress(to_idx(DIGIT[np.newaxis]))),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_digit_is_the_same_pixels_in_every_file(tmp_path: Path, name: str) -> None:
    WRITTEN[name](tmp_path / name)
    given = read(tmp_path / name)
    assert given.pixels.dtype == np.uint8
    assert (given.pixels == DIGIT[np.newaxis, ..., np.newaxis]).all()
    assert given.names == (str(tmp_path / name) + ("" if name.endswith(".png") else "[0]"),)


def test_pixels_of_16_bits_and_colours_are_what_the_file_has(tmp_path: Path) -> None:
    deep = DIGIT.astype(np.uint16) * 257
    assert (read(saved(tmp_path / "deep.png", deep), takes=DEEP).pixels[0, ..., 0] == deep).all()
    assert (read(saved(tmp_path / "colours.png", COLOURS), takes=COLOUR).pixels[0] == COLOURS).all()
    assert (read(saved(tmp_path / "grey.png", DIGIT), takes=COLOUR).pixels[0] == DIGIT[..., np.newaxis]).all()


def test_the_first_ten_of_many_images_are_taken_or_those_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(
        file := tmp_path / "many.npy", np.arange(1234, dtype=np.int64)[:, None, None] % 256 + np.zeros((28, 28), int)
    )
    assert len(read(file).names) == 10
    assert capsys.readouterr().err.splitlines() == [
        f"{file}: the first 10 of 1,234 images; others with --index, such as --index 10-19"
    ]
    given = read(file, saved(tmp_path / "one.png", DIGIT), index=parse_index("7,1000-1001"))
    assert given.names == (f"{file}[7]", f"{file}[1000]", f"{file}[1001]", str(tmp_path / "one.png"))
    assert given.pixels[:, 0, 0, 0].tolist() == [7, 1000 % 256, 1001 % 256, 0]
    assert capsys.readouterr().err == ""


def test_a_negative_is_pointed_out_where_the_training_images_are_known_to_be_dark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    negative, digit = saved(tmp_path / "negative.png", 255 - DIGIT), saved(tmp_path / "digit.png", DIGIT)
    read(negative, digit)
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [str(negative)]
    read(negative, takes=Takes(GREY.shape, GREY.dtype))
    assert capsys.readouterr().err == ""


def write(path: Path, content: np.ndarray | bytes | None) -> Path:
    """Write pixels or bytes; None: nothing."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content) if path.suffix == ".npy" else saved(path, content)
    return path


LABELS, LARGE, TALL = to_idx(DIGIT[0]), to_idx(np.zeros((5, 32, 32), np.uint8)), np.zeros((40, 30), np.uint8)
# What a file has, the model, and what is said of it.
BAD: dict[str, tuple[np.ndarray | bytes | None, Takes, str]] = {
    "tall.png": (
        TALL,
        GREY,
        r"8-bit grey, which is what the model takes; got 30×40 pixels \(width×height\), 8-bit grey; run python",
    ),
    "colour.png": (COLOURS, GREY, "8-bit grey, which .* got 28×28 pixels, 8-bit RGB; run python"),
    "colour.jpg": (COLOURS, GREY, "got 28×28 pixels, 8-bit RGB; run python"),
    "deep.png": (DIGIT.astype(np.uint16) * 257, GREY, "got 28×28 pixels, 16-bit grey; run python"),
    "its name.png": (np.stack([TALL] * 3, axis=2), GREY, r"got 30×40 pixels \(width×height\), 8-bit RGB; run python"),
    "small.png": (
        COLOURS[:20],
        COLOUR,
        r"28×28 pixels, 8-bit RGB, which .* got 28×20 pixels \(width×height\), 8-bit RGB; run python",
    ),
    "flat.png": (DIGIT, DEEP, "16-bit grey, .* got 28×28 pixels, 8-bit grey; give it 16 bits: a 16-bit grey PNG"),
    "flat.npy": (DIGIT, DEEP, "expected 16-bit pixels, uint16, as the model takes; got uint8"),
    "seen-through.png": (np.zeros((28, 28, 4), np.uint8), GREY, "expected no transparent pixel"),
    "text.png": (b"no image", GREY, "expected a PNG or JPEG image; got something else"),
    "empty.png": (b"", GREY, "expected a PNG, JPEG, IDX or .npy file of images; got an empty file"),
    "missing.png": (None, GREY, "got no file of that name; correct the name"),
    "labels-idx1-ubyte": (LABELS, GREY, "got an IDX file in one dimension, as labels are; name the images"),
    "labels-idx1-ubyte.gz": (gzip.compress(LABELS), GREY, "got an IDX file in one dimension, as labels are"),
    "other.gz": (gzip.compress(b"no image"), GREY, "got a .gz of something else than IDX; unpack it"),
    "no.gz": (b"no gzip", GREY, "expected gzip, as its name says; Not a gzipped file"),
    "large-idx3-ubyte": (
        LARGE,
        GREY,
        r"an array \(n, 28, 28, 1\) or .*; got \(5, 32, 32\); name images of that size",
    ),
    "cut-idx3-ubyte": (LARGE[:-1], GREY, "expected 5120 bytes for shape .*; got fewer"),
    "floats.npy": (DIGIT / 255, GREY, "uint8, 0 to 255; got float64; don't scale them"),
    "objects.npy": (np.array([None]), GREY, "expected an array that numpy.load reads"),
}


def test_no_image_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TandemError, match=r"^IMAGE: expected a PNG, .* or several; got none; name one, such as data/"):
        look_at_files([])
    with pytest.raises(TandemError, match=r"got a folder; name the files in it, such as .*/\*\.png$"):
        look_at_files([tmp_path])


@pytest.mark.parametrize("name", BAD)
def test_another_image_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, takes, message = BAD[name]
    with pytest.raises(TandemError, match=message) as refused:
        read(write(tmp_path / name, content), takes=takes)
    assert str(refused.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(refused.value)


def test_a_cut_png_is_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.png", COLOURS).read_bytes()
    for length in (len(whole) // 2, 20):
        (tmp_path / "cut.png").write_bytes(whole[:length])
        with pytest.raises(TandemError, match=r"cut\.png: expected .*; got"):
            read(tmp_path / "cut.png", takes=COLOUR)


@pytest.mark.parametrize("name", ["tall.png", "colour.jpg", "deep.png", "its name.png", "small.png"])
def test_the_command_in_a_refusal_makes_an_image_that_is_taken(tmp_path: Path, name: str) -> None:
    content, takes, _ = BAD[name]
    with pytest.raises(TandemError) as refused:
        read(write(tmp_path / name, content), takes=takes)
    words = shlex.split(str(refused.value).partition("; run ")[2])
    subprocess.run([sys.executable, *words[1:]], check=True)
    (made,) = tmp_path.glob("*-28x28.png")
    assert read(made, takes=takes).pixels.shape == (1, *takes.shape)
    if name == "deep.png":
        assert (read(made).pixels[0, ..., 0] == DIGIT).all()


@pytest.mark.parametrize("text", ["", "x", "-1", "3-1", "1,,2", "1.5", "0-9 20"])
def test_numbers_are_refused_in_another_form(text: str) -> None:
    with pytest.raises(TandemError, match=r"^--index: expected numbers and ranges from 0 on, such as"):
        parse_index(text)


def test_a_number_that_a_file_has_not_is_refused(tmp_path: Path) -> None:
    two, one = write(tmp_path / "two.npy", np.stack([DIGIT, DIGIT])), write(tmp_path / "one.png", DIGIT)
    with pytest.raises(TandemError, match=r"^--index: expected numbers from 0 to 1, since .* has 2 images; got 2"):
        read(two, index=[0, 2])
    with pytest.raises(TandemError, match=r"^--index: expected an IDX or \.npy file .* got pictures alone"):
        read(one, index=[0])
