"""Make a small data set of one's own: PNG files of 32×32 pixels in colour, a folder for each of 20 classes.

Five shapes in four colours, at random places, sizes and angles, before noise. `python examples/make_shapes.py FOLDER`
writes FOLDER/train/CLASS/NUMBER.png and FOLDER/test/CLASS/NUMBER.png, the same files every time.
"""

import argparse
import math
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIZE, ENLARGED = 32, 4  # drawn four times as large, so that the edges are smooth
COLOURS = {"blue": (0, 114, 178), "orange": (230, 159, 0), "purple": (170, 80, 160), "white": (240, 240, 240)}
CORNERS = {"triangle": 3, "square": 4, "hexagon": 6}
SHAPES = (*CORNERS, "star", "ring")

Points = list[tuple[float, float]]


def outline(shape: str, centre: npt.NDArray[np.float64], radius: float, angle: float) -> Points:
    """Return the corners of a shape, in pixels; a star's are near and far from the centre in turn."""
    corners = CORNERS.get(shape, 10)
    angles = angle + 2 * math.pi * np.arange(corners) / corners
    radii = np.where(np.arange(corners) % 2, 0.4 * radius, radius) if shape == "star" else np.full(corners, radius)
    points = centre + radii[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [(float(x), float(y)) for x, y in points]


def draw(shape: str, colour: str, random: np.random.Generator) -> Image.Image:
    """Return an image of a shape."""
    size = SIZE * ENLARGED
    image = Image.new("RGB", (size, size), tuple(int(grey) for grey in random.integers(20, 90, 3)))
    radius = random.uniform(0.2, 0.38) * size
    centre, pen = random.uniform(radius, size - radius, 2), ImageDraw.Draw(image)
    if shape == "ring":
        box = [*(centre - radius).tolist(), *(centre + radius).tolist()]
        pen.ellipse(box, outline=COLOURS[colour], width=round(0.4 * radius))
    else:
        pen.polygon(outline(shape, centre, radius, random.uniform(0, 2 * math.pi)), fill=COLOURS[colour])
    small = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX), np.float64)
    return Image.fromarray(np.clip(small + random.normal(0, 20, small.shape), 0, 255).astype(np.uint8))


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--train", type=int, default=100, help="images of each class to train on")
    parser.add_argument("--test", type=int, default=25, help="images of each class to test with")
    options, random = parser.parse_args(), np.random.default_rng(1)
    for (part, count), colour, shape in product((("train", options.train), ("test", options.test)), COLOURS, SHAPES):
        folder = options.folder / part / f"{colour}-{shape}"
        folder.mkdir(parents=True)
        for number in range(count):
            draw(shape, colour, random).save(folder / f"{number:04}.png")
    print(f"{options.folder}: {len(COLOURS) * len(SHAPES)} classes, {options.train} + {options.test} images of each")


if __name__ == "__main__":
    main()
