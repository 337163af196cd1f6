"""Makes tests/samples/: MNIST test digits as people send them.

Run once: python -m tests.make_samples
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageOps

from cnn.data import datasets

FOLDER = Path(__file__).parent / "samples"


def main() -> None:
    test = datasets.load("mnist", "test")
    # The first two of each digit, in the order of the set.
    chosen = [
        int(i) for digit in range(10) for i in np.flatnonzero(test.labels == digit)[:3]
    ]
    digits = {
        (int(test.labels[i]), n % 3): Image.fromarray(test.images[i, ..., 0])
        for n, i in enumerate(chosen)
    }
    FOLDER.mkdir(exist_ok=True)
    for kind, digit, number in PLAN:
        save(kind, digit, digits[digit, number])


def save(kind: str, digit: int, image: Image.Image) -> None:
    extension, render, options = KINDS[kind]
    render(image).save(FOLDER / f"{kind}_{digit}.{extension}", **options)


def place_on_page(
    image: Image.Image,
    size: tuple[int, int] = (420, 560),
    height: int = 260,
    at: tuple[int, int] = (90, 170),
) -> Image.Image:
    """Lays a digit, black on white and large, somewhere on a page."""
    paper = Image.new("L", size, 0)
    paper.paste(image.resize((height, height), Image.Resampling.BICUBIC), at)
    return ImageOps.invert(paper)


def tint(image: Image.Image) -> Image.Image:
    return ImageOps.colorize(place_on_page(image), black="#1b2a6b", white="#f3e6c4")


def make_transparent(image: Image.Image) -> Image.Image:
    ink = Image.new("RGBA", (140, 140), (20, 20, 60, 0))
    ink.putalpha(image.resize((140, 140), Image.Resampling.BICUBIC))
    return ink


def rotate_with_exif(image: Image.Image) -> Image.Image:
    """As a phone stores it: turned, with a note in EXIF of how to turn it back."""
    return place_on_page(image).rotate(90, expand=True)


def make_exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = 6
    return tags


def convert_to_16_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(ImageOps.invert(image)).astype(np.uint16) * 257)


def quantize(image: Image.Image) -> Image.Image:
    return tint(image).quantize(16)


def convert_to_cmyk(image: Image.Image) -> Image.Image:
    return tint(image).convert("CMYK")


def shade(image: Image.Image) -> Image.Image:
    light = Image.linear_gradient("L").resize((420, 560)).point(lambda v: 130 + v // 2)
    return ImageChops.multiply(place_on_page(image), light)


def place_on_large_page(image: Image.Image) -> Image.Image:
    return place_on_page(image, (900, 700), 84, (610, 420))


KINDS = {
    "mnist": ("png", lambda image: image, {}),
    "black-on-white": ("png", ImageOps.invert, {}),
    "large": ("png", place_on_page, {}),
    "tinted": ("jpg", tint, {"quality": 80}),
    "transparent": ("png", make_transparent, {}),
    "sideways": ("jpg", rotate_with_exif, {"exif": make_exif(), "quality": 80}),
    "16-bit": ("png", convert_to_16_bits, {}),
    "palette": ("gif", quantize, {}),
    "cmyk": ("jpg", convert_to_cmyk, {"quality": 80}),
    "shaded": ("webp", shade, {"quality": 80}),
    "small-on-page": ("png", place_on_large_page, {"optimize": True}),
    "scan": (
        "tiff",
        lambda image: place_on_page(image).convert("1"),
        {"compression": "group4"},
    ),
}
PLAN = [
    ("mnist", 7, 0), ("mnist", 2, 0), ("mnist", 1, 0), ("mnist", 0, 0),
    ("black-on-white", 4, 0), ("black-on-white", 9, 0), ("black-on-white", 5, 1),
    ("large", 3, 0), ("large", 8, 0), ("tinted", 6, 1), ("tinted", 2, 1), ("transparent", 5, 2),
    ("transparent", 8, 1), ("sideways", 4, 1), ("sideways", 7, 1), ("16-bit", 0, 1), ("16-bit", 3, 1),
    ("palette", 1, 1), ("palette", 9, 1), ("cmyk", 6, 2), ("cmyk", 2, 2), ("shaded", 7, 2), ("shaded", 3, 2),
    ("small-on-page", 4, 2), ("scan", 8, 2),
]  # fmt: skip

if __name__ == "__main__":
    main()
