"""Sources of images, real files all of them: good ones, and what can be wrong with them."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.data.idx import to_idx

Change = Callable[[Path], object]
TRAIN, TEST = 12, 6
GREY = np.random.default_rng(0).integers(0, 256, (TRAIN, 8, 8), np.uint8)
LABELS = np.arange(TRAIN, dtype=np.uint8) % 3
IMAGES_FILE, LABELS_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(folder: Path) -> None:
    """Write 12 training and 6 test images of 8×8 in 3 classes as IDX files."""
    folder.mkdir(exist_ok=True)
    for prefix, count in (("train", TRAIN), ("t10k", TEST)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(to_idx(GREY[:count]))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(to_idx(LABELS[:count]))


def typed_idx(array: np.ndarray[Any, Any], kind: int) -> bytes:
    """Return an IDX file of another type."""
    header = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def npy(folder: Path, **changes: Any) -> None:
    """Write the same images as .npy files, with a change."""
    folder.mkdir(exist_ok=True)
    arrays = {"train_images": GREY, "train_labels": LABELS, "test_images": GREY[:TEST], "test_labels": LABELS[:TEST]}
    for name, array in {**arrays, **changes}.items():
        np.save(folder / f"{name}.npy", array)


def npz(file: Path, **changes: Any) -> None:
    """Write the same images as an .npz, with changes; None leaves an array out."""
    arrays: dict[str, Any] = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:TEST], "y_test": LABELS[:TEST]}
    np.savez(file, **{name: array for name, array in {**arrays, **changes}.items() if array is not None})


def pictures(folder: Path) -> None:
    """Write the same images as PNG files by class, called a, b and c."""
    for part, count in (("train", TRAIN), ("test", TEST)):
        for number in range(count):
            path = folder / part / "abc"[LABELS[number]] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(GREY[number]).save(path)


def png(path: Path, pixels: np.ndarray[Any, Any], **options: Any) -> None:
    """Write a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def png_of_16_bits_in_colour() -> bytes:
    """Return a PNG of 2×2 pixels with three times 16 bits, which Pillow doesn't write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(2 * (b"\0" + bytes(12))))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def lying_npz(file: Path) -> None:
    """Write an .npz of which an array claims to have 2 GB."""
    content = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (2**31,)}
    np.lib.format.write_array_header_1_0(content, {**header, "shape": (2**15, 256, 256)})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", content.getvalue())
        np.save(labels := io.BytesIO(), LABELS)
        archive.writestr("y_train.npy", labels.getvalue())


def written(name: str, content: bytes) -> Change:
    """Return what overwrites a file."""
    return lambda folder: (folder / name).write_bytes(content)


def labels(*values: int) -> Change:
    """Return what overwrites the training labels of IDX files."""
    return written(LABELS_FILE, to_idx(np.array(values, np.uint8)))


def _packed(folder: Path) -> None:
    content = gzip.compress((folder / IMAGES_FILE).read_bytes())
    (folder / IMAGES_FILE).unlink()
    (folder / f"{IMAGES_FILE}.gz").write_bytes(content[:-20])


def _replaced_by_folder(folder: Path) -> None:
    (folder / LABELS_FILE).unlink()
    (folder / LABELS_FILE).mkdir()


def _without_test_images(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(to_idx(GREY[:0]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(to_idx(LABELS[:0]))


def _claimed_by_gz(folder: Path) -> None:
    (folder / IMAGES_FILE).unlink()
    (folder / f"{IMAGES_FILE}.gz").write_bytes(gzip.compress(CLAIM))


CLAIM = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**15, 256, 256)
# Wrong raw data: `preprocess` and `tandem import` say the same of it.
RAW: dict[str, tuple[Change, str]] = {
    "float IDX": (
        written(IMAGES_FILE, typed_idx(GREY.astype(np.float32), 0x0D)),
        "expected unsigned bytes in 3 or 4 dimensions; got 32-bit floats in 3; `tandem import` reads others",
    ),
    "16-bit IDX": (
        written(IMAGES_FILE, typed_idx(GREY.astype(np.int16), 0x0B)),
        "expected unsigned bytes in 3 or 4 dimensions; got 16-bit integers in 3",
    ),
    "IDX with the channels first": (
        written(IMAGES_FILE, to_idx(np.zeros((TRAIN, 3, 8, 8), np.uint8))),
        r"expected images of shape \(n, height, width\), or .* with 1 or 3 channels; got \(12, 3, 8, 8\)",
    ),
    "IDX of one image": (written(IMAGES_FILE, to_idx(GREY[0])), "got unsigned bytes in 2"),
    "no IDX at all": (written(IMAGES_FILE, b"<html>"), "expected an IDX file .* got a file that begins with 3c68746d"),
    "an empty file": (written(IMAGES_FILE, b""), "expected an IDX file .* got an empty file"),
    "a header that ends early": (written(IMAGES_FILE, CLAIM[:9]), "expected an IDX header of 16 bytes; got fewer"),
    "a truncated file": (
        written(IMAGES_FILE, to_idx(GREY)[:-1]),
        r"expected 768 bytes for shape \(12, 8, 8\); got fewer",
    ),
    "a file that is too long": (written(IMAGES_FILE, to_idx(GREY) + b"x"), r"expected 768 bytes .* got more"),
    "a gz that isn't one": (
        lambda folder: (folder / IMAGES_FILE).rename(folder / f"{IMAGES_FILE}.gz"),
        "expected gzip; ",
    ),
    "a truncated gz": (_packed, "expected gzip; "),
    "2 GB claimed": (written(IMAGES_FILE, CLAIM), r"expected 2147483648 bytes for shape .* got fewer"),
    "2 GB claimed by a gz": (
        _claimed_by_gz,
        "expected 2147483648 bytes for shape .* got fewer",
    ),
    "both x and x.gz": (written(f"{IMAGES_FILE}.gz", b""), "expected the IDX file .* got both"),
    "a missing file": (lambda folder: (folder / LABELS_FILE).unlink(), "expected the IDX file .* got neither"),
    "a folder in a file's place": (_replaced_by_folder, "expected the IDX file .* got a folder of that name"),
    "both IDX and npy": (npy, "expected IDX files or .npy files; got both"),
    "an empty test set": (_without_test_images, "expected images; got no image: training and test set need some"),
    "images of 0 pixels": (
        written(IMAGES_FILE, to_idx(np.zeros((TRAIN, 0, 8), np.uint8))),
        "expected images; got images of 0 pixels",
    ),
    "one class": (labels(*[0] * TRAIN), "expected at least two classes among the training labels; got one"),
    "one class, not the first": (labels(*[4] * TRAIN), "expected at least two classes, .* got none of class 0"),
    "a gap in the labels": (labels(*[0, 1, 3] * 4), "expected training labels 0, 1, 2, … without a gap; got none of c"),
    "a test label that training lacks": (labels(*[0, 1] * 6), "expected test labels below 2, as in training; got 2"),
    "one image of a class": (
        labels(*[0, 1] * 5, 1, 2),
        "preprocess.validation_fraction: expected at least 2 images of each class, .* got 1 of class 2",
    ),
    "other labels than images": (labels(0, 1, 2), "train: expected as many labels as images; got 3 and 12"),
    "images all black": (
        written(IMAGES_FILE, to_idx(np.zeros((TRAIN, 8, 8), np.uint8))),
        "expected training images that differ; got every pixel 0",
    ),
    "two sizes": (
        written("t10k-images-idx3-ubyte", to_idx(np.ones((TEST, 8, 9), np.uint8))),
        "expected images of one size and type; got 8×8×1 uint8 to train and 8×9×1 uint8 to test",
    ),
    "float labels in IDX": (
        written(LABELS_FILE, typed_idx(LABELS.astype(np.float32), 0x0D)),
        "expected unsigned bytes, .* got 32-bit floats in 1",
    ),
    "negative labels in IDX": (
        written(LABELS_FILE, typed_idx(LABELS.astype(np.int32) - 1, 0x0C)),
        r"expected labels from 0 to 999, .* got -1",
    ),
    "too many classes": (
        written(LABELS_FILE, typed_idx(LABELS.astype(np.int32) + 998, 0x0C)),
        "since up to 1,000 classes are supported; got 1000",
    ),
    "a long name": (written("name.txt", b"n" * 3000), r"expected a name of 1 to 40 .* \(3000 characters\)$"),
    "an empty name": (written("name.txt", b"\n"), r"name.txt: expected a name of 1 to 40 letters, .* got ''$"),
    "a name in Latin-1": (written("name.txt", "é".encode("latin-1")), "name.txt: expected text in UTF-8; got other"),
    "a name of two words": (written("name.txt", b"a b"), "expected a name .* got 'a b'$"),
    "too few names of classes": (
        written("classes.txt", b"a\nb\n"),
        "classes.txt: expected a name a line for each of 3 classes; got 2",
    ),
    "a name of two classes": (written("classes.txt", b"a\nb\na\n"), "names of classes that differ; got 'a' twice"),
}


def _npy_change(**changes: Any) -> Change:
    return lambda folder: npy(folder, **changes)


def _without_test_labels(folder: Path) -> None:
    npy(folder)
    (folder / "test_labels.npy").unlink()


def _cut_npy(folder: Path) -> None:
    npy(folder)
    (folder / "train_images.npy").write_bytes(b"\x93NUMPY\x01\x00")


# The same of .npy files.
NPY: dict[str, tuple[Change, str]] = {
    "a missing npy": (
        _without_test_labels,
        "expected test_labels.npy beside train_images.npy; got none",
    ),
    "objects": (
        _npy_change(train_images=np.array([None, 1])),
        "an array that numpy.load reads; .* Python objects",
    ),
    "a truncated npy": (
        _cut_npy,
        "expected an array that numpy.load reads",
    ),
    "16 bits and 8": (
        _npy_change(train_images=GREY.astype(np.uint16)),
        "expected images of one size and type; got 8×8×1 uint16 to train and 8×8×1 uint8 to test",
    ),
    "floats": (_npy_change(train_images=GREY / 255), "expected images of uint8 or uint16; got float64; of floats from"),
}


def _npz_change(**changes: Any) -> Change:
    return lambda file: npz(file, **changes)


ONE_HOT = np.eye(3, dtype=np.uint8)[LABELS]
WITH_NAN = np.where(LABELS == 1, np.nan, LABELS)
# Wrong .npz files.
NPZ: dict[str, tuple[Change, str]] = {
    "an npz without the keys": (_npz_change(x_train=None, data=GREY), "expected arrays x_train, y_train or .* got"),
    "an npz with objects": (_npz_change(x_train=np.array([None])), "got Python objects, which aren't loaded"),
    "an npz with floats": (_npz_change(x_train=GREY / 255), "expected images of uint8 or uint16; got float64"),
    "an npz with int64": (_npz_change(x_train=GREY.astype(int)), "expected images of uint8 or uint16; got int64"),
    "one-hot labels": (_npz_change(y_train=ONE_HOT), r"y_train: expected a label an image, .* numpy.argmax"),
    "float labels": (_npz_change(y_train=LABELS / 1), "labels that are whole numbers 0, 1, 2, …; got float64$"),
    "labels with NaN": (_npz_change(y_train=WITH_NAN), "whole numbers 0, 1, 2, …; got float64 with NaN"),
    "negative labels": (_npz_change(y_train=LABELS.astype(int) - 1), "expected labels from 0 to 999, .* got -1"),
    "labels without images": (_npz_change(y_test=LABELS), "expected as many labels as images; got 12 and 6"),
    "no images in an npz": (_npz_change(x_test=GREY[:0], y_test=LABELS[:0]), "got no image"),
    "a scalar": (_npz_change(x_train=np.uint8(3)), r"expected images of shape \(n, height, width\), .* got \(\)"),
    "an npz that is text": (lambda file: file.write_text("text"), "expected an .npz that NumPy reads; got: "),
    "an npz that claims 2 GB": (lying_npz, "expected 2147483776 bytes for shape .* got 128; write it anew"),
}


def _picture(name: str, mode: str, **options: Any) -> Change:
    """Return what adds a picture of a mode to class a."""
    return lambda folder: Image.new(mode, (8, 8)).save(folder / "train" / "a" / name, **options)


def _file(name: str, content: bytes) -> Change:
    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return write


def _cut(folder: Path) -> None:
    file = folder / "train" / "a" / "0.png"
    file.write_bytes(file.read_bytes()[:-40])


def _link(name: str, target: str) -> Change:
    return lambda folder: (folder / name).symlink_to(target)


def _many(folder: Path) -> None:
    for number in range(1001):
        (folder / "train" / f"class{number}").mkdir()


def _one_of_a_class(folder: Path) -> None:
    png(folder / "train" / "d" / "0.png", GREY[0])


FRAMES = {"save_all": True, "append_images": [Image.new("L", (8, 8), 9)]}
TRANSPARENT = Image.new("RGBA", (8, 8), (1, 2, 3, 0))
# Wrong folders of pictures.
PICTURES: dict[str, tuple[Change, str]] = {
    "a corrupt PNG": (_cut, "a/0.png: expected an image that Pillow reads; got: .*; replace it"),
    "a text called PNG": (_file("train/a/x.png", b"text"), "a/x.png: expected a PNG or JPEG image; got something else"),
    "an empty PNG": (_file("train/a/x.png", b""), "a/x.png: expected a PNG or JPEG image; got something else"),
    "a text file among the PNGs": (_file("train/a/notes.txt", b"x"), "a/notes.txt: expected PNG or JPEG files alone"),
    "an animated PNG": (_picture("x.png", "L", **FRAMES), "x.png: expected one image; got an animation of 2"),
    "CMYK": (_picture("x.jpg", "CMYK"), "x.jpg: expected grey or RGB; got CMYK; convert it"),
    "a transparent PNG": (lambda folder: TRANSPARENT.save(folder / "train/a/0.png"), "expected no transparent pixel"),
    "16 bits in colour": (
        _file("train/a/x.png", png_of_16_bits_in_colour()),
        "x.png: expected 8 bits in colour or with alpha .* got 16; an .npz takes uint16",
    ),
    "16-bit PNGs and 8-bit ones": (
        lambda folder: png(folder / "train/a/0.png", GREY[0].astype(np.uint16)),
        "expected images of one type; got 16-bit grey .*0.png.* and 8-bit grey ",
    ),
    "PNGs of two sizes": (
        lambda folder: png(folder / "train/b/1.png", GREY[0, 2:]),
        "expected images of one size; got, as width×height, 8×8 .*0.png.* and 8×6 .*1.png.*; `--size 32` makes ",
    ),
    "an unreadable file": (_link("train/a/x.png", "nowhere"), "a/x.png: expected PNG or JPEG files .* link to nowhere"),
    "a link to itself": (_link("train/a/x.png", "x.png"), "a/x.png: expected PNG or JPEG files .* link to nowhere"),
    "a link in a circle": (
        _link("train/a/up", ".."),
        "a/up: expected PNG or JPEG files in the folder of a class",
    ),
    "nested folders": (
        _file("train/a/more/x.png", b""),
        "more: expected PNG or JPEG files .* got a folder",
    ),
    "an empty class": (lambda folder: (folder / "train" / "d").mkdir(), "train/d: expected PNG or JPEG files of this"),
    "a class of the test set alone": (_file("test/d/x.png", b""), "test/d: expected a class that train/ has"),
    "images beside the classes": (_file("train/x.png", b""), "train/x.png: expected images in a folder for each class"),
    "a third part": (lambda folder: (folder / "val").mkdir(), "expected train/ and test/; got val/ too; Tandem takes"),
    "too many folders": (_many, "train: expected up to 1,000 classes; got 1,004 folders"),
    "a class of one image": (_one_of_a_class, "expected at least 2 images of each class, .* got 1 of class 3"),
    "a class with a long name": (_file(f"train/{'n' * 41}/x.png", b""), r"names of classes of 1 to 40 .* \(41 char"),
    "a class in Latin-1": (
        _file("train/\udce9/x.png", b""),
        r"expected names of classes .* in UTF-8; got '\?'",
    ),
}
