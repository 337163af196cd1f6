"""Reads corrupted digits and non-digits: python -m tests.benchmarks.corruptions --model mnist_model.h5.

The 15 corruptions are the kinds of MNIST-C (Mu & Gilmer, 2019, arXiv:1906.02337) at its usual severities,
written from their descriptions, without its code and without `cnn.augment`: a net is validated by pictures
that were not made as its training pictures were. Errors cannot be compared with those on its files.
"""

import argparse
import functools
import string
import zlib
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage, stats

from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.training import training_set

SIZE = 28
COUNT = 2000  # of each kind of non-digit
CENTRE = (SIZE - 1) / 2
DETAIL = 4  # lines are drawn so many times larger and then averaged, to be smooth

# No letter that can be read as a digit in some hand: 0 DOQaou, 1 IJijl, 2 Zz, 4 Yy, 5 Ss, 6 Gb, 8 B, 9 gq.
LETTERS = "".join(sorted(set(string.ascii_letters) - set("DOQaouIJijlZzYySsGbBgq")))
FONTS = (
    *(
        f"DejaVuSans{style}.ttf"
        for style in ("", "-Bold", "-Oblique", "Mono", "Mono-Bold", "Mono-Oblique")
    ),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")),
    *(f"{name}.ttf" for name in ("cmr10", "cmb10", "cmss10", "cmtt10", "cmti10")),
)


def _floats(images: np.ndarray) -> np.ndarray:
    """Maps 0..255 to 0..1."""
    return images.astype(np.float32) / 255


def _bytes(x: np.ndarray) -> np.ndarray:
    """Maps 0..1 to 0..255; what is beyond is clipped."""
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


def _blur(x: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs each picture, none into the next."""
    return ndimage.gaussian_filter(x, (0, sigma, sigma))


def _signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draws -1 or 1."""
    return rng.choice([-1, 1], size=shape)


def _about(rng: np.random.Generator, value: float, count: int) -> np.ndarray:
    """Draws values within a tenth of the usual severity."""
    return value * rng.uniform(0.9, 1.1, count)


# Noise and light


def shot_noise(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Counts photons, 3 to 5 of them where the paper is white."""
    photons = rng.uniform(3, 5, (len(images), 1, 1))
    return _bytes(rng.poisson(_floats(images) * photons) / photons)


def impulse_noise(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Makes 27 % of the pixels black or white."""
    hit = rng.random(images.shape) < 0.27
    return np.where(hit, rng.choice(np.uint8([0, 255]), images.shape), images)


def brightness(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Adds half of white; nothing is random."""
    return _bytes(_floats(images) + 0.5)


def stripe(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Inverts the 7 columns at the left and the 7 at the right; nothing is random.

    We read "a stripe" as the middle half of the picture that stays as it was between two inverted strips.
    """
    result = images.copy()
    for strip in (np.s_[:, :, :7], np.s_[:, :, -7:]):
        result[strip] = 255 - result[strip]
    return result


def _plasma(rng: np.random.Generator, count: int) -> np.ndarray:
    """Sums octaves of noise, each half as strong and twice as fine, and stretches each sum to 0..1."""
    total = np.zeros((count, SIZE, SIZE), np.float32)
    for octave in range(5):
        knots = 2**octave + 1
        coarse = rng.random((count, knots, knots), dtype=np.float32)
        total += (
            ndimage.zoom(coarse, (1, SIZE / knots, SIZE / knots), order=1) / 2**octave
        )
    total -= total.min((1, 2), keepdims=True)
    return total / total.max((1, 2), keepdims=True)


def fog(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Adds clouds twice as bright as white, and dims the sum to the digit's own maximum."""
    x = _floats(images)
    top = x.max((1, 2), keepdims=True)
    return _bytes((x + 2 * _plasma(rng, len(x))) * top / (top + 2))


def spatter(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Lays splashes of a liquid over the picture: blurred noise where it is high, soft at the rim."""
    liquid = _blur(rng.standard_normal(images.shape, dtype=np.float32), 1.3)
    liquid /= liquid.std((1, 2), keepdims=True)
    cover = np.clip((liquid - 1.0) / 0.5, 0, 1)
    colour = rng.uniform(0.5, 0.9, (len(images), 1, 1))
    x = _floats(images)
    return _bytes(x + cover * np.maximum(colour - x, 0))


# Blur


def _swap_neighbours(rng: np.random.Generator, x: np.ndarray) -> None:
    """Swaps pixels with others at most 1 away, in place."""
    every = np.arange(len(x))
    # Without this, some pixels would be handed on all along a row, and thin strokes dissolve.
    moved = np.zeros(x.shape, bool)
    for row, column in np.ndindex(SIZE - 2, SIZE - 2):
        here = every, row + 1, column + 1
        down, right = rng.integers(-1, 2, (2, len(x)))
        there = every, here[1] + down, here[2] + right
        swap = ~(moved[here] | moved[there])
        x[here], x[there] = np.where(swap, (x[there], x[here]), (x[here], x[there]))
        moved[here] |= swap
        moved[there] |= swap


def glass_blur(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Blurs a little, swaps neighbouring pixels, twice, and blurs again."""
    x = _blur(_floats(images), 0.7)
    for _ in range(2):
        _swap_neighbours(rng, x)
    return _bytes(_blur(x, 0.7))


def _trail(angle: float, radius: int = 10, sigma: float = 3.0) -> np.ndarray:
    """Weighs a half-line by a Gaussian: what moves trails behind itself, as in ImageMagick."""
    kernel = np.zeros((2 * radius + 3, 2 * radius + 3), np.float32)
    steps = np.arange(radius + 1)
    places = radius + 1 + np.stack([steps * np.sin(angle), steps * np.cos(angle)])
    low = np.floor(places).astype(int)
    part = places - low
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    for down, right in np.ndindex(2, 2):
        share = np.abs(1 - down - part[0]) * np.abs(1 - right - part[1])
        np.add.at(kernel, (low[0] + down, low[1] + right), weights * share)
    return kernel / kernel.sum()


def motion_blur(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Moves each picture along a line within 45 degrees of the horizontal."""
    kernels = [_trail(angle) for angle in np.deg2rad(rng.uniform(-45, 45, len(images)))]
    pairs = zip(_floats(images), kernels, strict=True)
    return _bytes(
        np.stack([ndimage.convolve(x, kernel, mode="nearest") for x, kernel in pairs])
    )


# Geometry


def _affine(images: np.ndarray, matrices: list) -> np.ndarray:
    """Resamples each picture about its centre; a matrix tells where, from there, an output pixel is read."""
    result = np.empty(images.shape, np.float32)
    for i, matrix in enumerate(np.asarray(matrices)):
        offset = CENTRE - matrix @ [CENTRE, CENTRE]
        ndimage.affine_transform(
            _floats(images[i]), matrix, offset, output=result[i], order=1
        )
    return _bytes(result)


def shear(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Slants by 0.4 to the left or the right."""
    slants = _about(rng, 0.4, len(images)) * _signs(rng, len(images))
    return _affine(images, [[[1, 0], [slant, 1]] for slant in slants])


def scale(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Shrinks to 0.7 about the centre."""
    return _affine(images, [np.eye(2) / size for size in _about(rng, 0.7, len(images))])


def rotate(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Turns by 0.4 rad, 23 degrees, either way."""
    angles = _about(rng, 0.4, len(images)) * _signs(rng, len(images))
    return _affine(
        images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles]
    )


def translate(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Moves by 3 whole pixels along each axis."""
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)))
    corners = 3 + 3 * _signs(rng, len(images), 2)
    return np.stack(
        [
            p[y : y + SIZE, x : x + SIZE]
            for p, (y, x) in zip(padded, corners, strict=True)
        ]
    )


# Lines


def _ends(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws a point on one side of the picture and one on the opposite side, in pixels."""
    near, far = (
        np.array([0, rng.uniform(3, SIZE - 3)]),
        np.array([SIZE, rng.uniform(3, SIZE - 3)]),
    )
    return (near, far) if rng.random() < 0.5 else (near[::-1], far[::-1])


def _drawn(
    images: np.ndarray, draw: Callable[[ImageDraw.ImageDraw], None]
) -> np.ndarray:
    """Draws in white over each picture, on a sheet with `DETAIL` times its side."""
    result = np.empty_like(images)
    for i, image in enumerate(images):
        sheet = Image.new("L", (SIZE * DETAIL, SIZE * DETAIL))
        draw(ImageDraw.Draw(sheet))
        result[i] = np.maximum(image, np.asarray(sheet.reduce(DETAIL)))
    return result


def dotted_line(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Draws a straight line of dots from edge to edge."""

    def draw(sheet: ImageDraw.ImageDraw) -> None:
        start, end = _ends(rng)
        steps = int(np.hypot(*(end - start)) / 2.5)
        for part in (np.arange(steps) + rng.random()) / steps:
            sheet.circle(
                tuple(DETAIL * (start + part * (end - start))), 0.75 * DETAIL, fill=255
            )

    return _drawn(images, draw)


def zigzag(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Draws a zigzag line from edge to edge, 4 pixels high, with a tooth every 5."""

    def draw(sheet: ImageDraw.ImageDraw) -> None:
        start, end = _ends(rng)
        along = (end - start) / np.hypot(*(end - start))
        across = 2 * np.array([-along[1], along[0]]) * _signs(rng)
        # It begins before the one edge and ends behind the other: no loose end is to be seen.
        steps = np.arange(-2, int(np.hypot(*(end - start)) / 2.5) + 3)
        corners = [
            start + 2.5 * step * along + (-1) ** step * across
            for step in steps.tolist()
        ]
        sheet.line(
            [tuple(DETAIL * corner) for corner in corners], fill=255, width=DETAIL
        )

    return _drawn(images, draw)


def _slope(x: np.ndarray, along: int, across: int) -> np.ndarray:
    """Sobel's filter; that of scipy would smooth over the first axis, from picture to picture, too."""
    return ndimage.correlate1d(
        ndimage.correlate1d(x, [-1, 0, 1], along), [1, 2, 1], across
    )


def _ridges(size: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Marks where the gradient is larger than a pixel uphill and a pixel downhill of it."""
    length = np.maximum(size, 1e-6)
    places = np.indices(size.shape, np.float32)
    uphill = np.stack([np.zeros_like(size), down / length, right / length])
    ahead, behind = (
        ndimage.map_coordinates(size, places + uphill * way, order=1) for way in (1, -1)
    )
    # Of two equal neighbours one stays, so that an edge is one pixel wide.
    return (size >= ahead) & (size > behind)


def canny_edges(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Keeps only the edges (Canny, 1986), 255 on 0; nothing is random."""
    x = _blur(_floats(images), 1.0)
    down, right = _slope(x, 1, 2), _slope(x, 2, 1)
    size = np.hypot(down, right)
    weak = _ridges(size, down, right) & (size > 0.2)
    neighbours = np.zeros((3, 3, 3), bool)
    neighbours[1] = True
    # Hysteresis: a weak edge stays where it hangs together with a strong one.
    pieces, count = ndimage.label(weak, neighbours)
    strong = np.zeros(count + 1, bool)
    strong[pieces[weak & (size > 0.4)]] = True
    return np.where(strong[pieces] & weak, 255, 0).astype(np.uint8)


CORRUPTIONS: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    corruption.__name__: corruption
    for corruption in (
        *(shot_noise, impulse_noise, glass_blur, motion_blur),
        *(shear, scale, rotate, brightness, translate, stripe),
        *(fog, spatter, dotted_line, zigzag, canny_edges),
    )
}


def _generator(seed: int, name: str) -> np.random.Generator:
    """Makes a generator that depends on nothing but the seed and the name."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def corrupted(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Corrupts `uint8 (N, 28, 28)` in each of the 15 ways."""
    return {
        name: corrupt(_generator(seed, name), images)
        for name, corrupt in CORRUPTIONS.items()
    }


# What is no digit


def _mixed(
    rng: np.random.Generator, count: int, makers: list[Callable[[], np.ndarray]]
) -> np.ndarray:
    """Has each picture, values 0..1, made by one of the makers."""
    return _bytes(np.stack([makers[rng.integers(len(makers))]() for _ in range(count)]))


def _blank(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes pictures of one grey, a quarter of them black, half of them with a noise of some grey levels."""
    grey = rng.random((count, 1, 1)) * (rng.random((count, 1, 1)) < 0.75)
    noise = rng.standard_normal((count, SIZE, SIZE)) * 0.01
    return _bytes(grey + noise * (rng.random((count, 1, 1)) < 0.5))


def _noise(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes uniform, Gaussian, salt-and-pepper and smooth noise."""
    shape = SIZE, SIZE

    def smooth() -> np.ndarray:
        noise = ndimage.gaussian_filter(rng.standard_normal(shape), rng.uniform(0.7, 3))
        return (noise - noise.min()) / np.ptp(noise)

    def gaussian() -> np.ndarray:
        return rng.uniform(0, 0.7) + rng.uniform(0.1, 0.5) * rng.standard_normal(shape)

    def peppered() -> np.ndarray:
        return (rng.random(shape) < rng.uniform(0.05, 0.5)).astype(float)

    return _mixed(rng, count, [lambda: rng.random(shape), gaussian, peppered, smooth])


def _texture(rng: np.random.Generator, count: int) -> np.ndarray:
    """Makes checkers, stripes, gratings, gradients and crosshatch."""
    y, x = np.mgrid[:SIZE, :SIZE] - CENTRE

    def wave(angle: float, period: float) -> np.ndarray:
        along = x * np.cos(angle) + y * np.sin(angle)
        return np.sin(2 * np.pi * (along / period + rng.random()))

    def any_wave() -> np.ndarray:
        return wave(rng.uniform(0, np.pi), rng.uniform(3, 10))

    def checkers() -> np.ndarray:
        angle, period = rng.uniform(0, np.pi / 2), rng.uniform(4, 12)
        return (wave(angle, period) * wave(angle + np.pi / 2, period) > 0).astype(float)

    def gradient() -> np.ndarray:
        angle = rng.uniform(0, 2 * np.pi)
        ramp = x * np.cos(angle) + y * np.sin(angle)
        return rng.uniform(0.3, 1) * (ramp - ramp.min()) / np.ptp(ramp)

    def crosshatch() -> np.ndarray:
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 9)
        crossing = angle + rng.uniform(np.pi / 4, np.pi / 2)
        return np.clip(
            np.maximum(wave(angle, period), wave(crossing, period)) * 4 - 2.5, 0, 1
        )

    def stripes() -> np.ndarray:
        return (any_wave() > rng.uniform(-0.5, 0.5)).astype(float)

    def grating() -> np.ndarray:
        return 0.5 + rng.uniform(0.15, 0.5) * any_wave()

    return _mixed(rng, count, [checkers, stripes, grating, gradient, crosshatch])


@functools.cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    """Opens a font that ships with matplotlib."""
    return ImageFont.truetype(
        Path(matplotlib.get_data_path(), "fonts", "ttf", name), 64
    )


def _as_mnist(sheet: Image.Image) -> np.ndarray:
    """Fits ink into 20x20 pixels and puts its centre of mass into the middle of 28x28, as MNIST was made."""
    ink = sheet.crop(sheet.getbbox())
    shrink = 20 / max(ink.size)
    small = ink.resize(
        [max(1, round(side * shrink)) for side in ink.size], Image.Resampling.BOX
    )
    middle = np.rint(
        SIZE / 2 - np.array(ndimage.center_of_mass(np.asarray(small)))
    ).astype(int)
    top, left = np.clip(middle, 0, SIZE - np.array(small.size[::-1]))
    picture = Image.new("L", (SIZE, SIZE))
    picture.paste(small, (int(left), int(top)))
    return np.asarray(picture)


def _letter(rng: np.random.Generator) -> np.ndarray:
    """Draws a letter of some font, turned a little so that no two are the same."""
    sheet = Image.new("L", (128, 128))
    letter, font = rng.choice(list(LETTERS)), FONTS[rng.integers(len(FONTS))]
    ImageDraw.Draw(sheet).text(
        (64, 64), str(letter), fill=255, font=_font(font), anchor="mm"
    )
    return _as_mnist(sheet.rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC))


def _letters(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws letters that are not like digits."""
    return np.stack([_letter(rng) for _ in range(count)])


def _halves(
    rng: np.random.Generator, count: int, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Joins halves, left and right or upper and lower, of two digits of different classes."""
    first = rng.integers(len(images), size=count)
    second = np.array(
        [rng.choice(np.flatnonzero(labels != labels[i])) for i in first], int
    )
    upright = rng.random((count, 1, 1)) < 0.5
    side = np.arange(SIZE) < SIZE // 2
    return np.where(
        np.where(upright, side, side[:, None]), images[first], images[second]
    )


def non_digits(
    images: np.ndarray, labels: np.ndarray, seed: int, count: int
) -> dict[str, np.ndarray]:
    """Makes `count` pictures of each kind that is no digit; `halves` are those of the digits given.

    Some of them do look like a digit, such as a 7 on a 1: no net can reach an AUROC of 1 there.
    """
    makers = {
        "blank": _blank,
        "noise": _noise,
        "texture": _texture,
        "letters": _letters,
    }
    made = {name: make(_generator(seed, name), count) for name, make in makers.items()}
    return made | {"halves": _halves(_generator(seed, "halves"), count, images, labels)}


# Measures


def _pictures(dataset: datasets.Dataset) -> np.ndarray:
    """Drops the channel."""
    return dataset.images.reshape(-1, SIZE, SIZE)


def _error(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """Measures the share of pictures that are read wrong."""
    return float((classifier.predict_proba(images).argmax(-1) != labels).mean())


def errors(
    classifier: Classifier, dataset: datasets.Dataset, seed: int
) -> dict[str, float]:
    """Measures the error, 0..1, on each corruption of the data set, and as `clean` that without any."""
    images = _pictures(dataset)
    result = {"clean": _error(classifier, images, dataset.labels)}
    for name, corrupt in CORRUPTIONS.items():
        result[name] = _error(
            classifier, corrupt(_generator(seed, name), images), dataset.labels
        )
    return result


def auroc(digits: np.ndarray, others: np.ndarray) -> float:
    """Computes how often a digit's confidence is above that of another picture; ties count half."""
    ranks = stats.rankdata(np.concatenate([digits, others]))
    least = len(digits) * (len(digits) + 1) / 2
    return float((ranks[: len(digits)].sum() - least) / (len(digits) * len(others)))


def aurocs(
    classifier: Classifier, dataset: datasets.Dataset, seed: int
) -> dict[str, float]:
    """Measures how well confidence tells the digits from each kind of non-digit, and from `all` together."""
    images = _pictures(dataset)
    digits = classifier.predict_proba(images).max(-1)
    made = non_digits(images, dataset.labels, seed, COUNT)
    others = {
        name: classifier.predict_proba(pictures).max(-1)
        for name, pictures in made.items()
    }
    others["all"] = np.concatenate(list(others.values()))
    return {name: auroc(digits, confidences) for name, confidences in others.items()}


def draw_sheet(dataset: datasets.Dataset, seed: int, path: str) -> None:
    """Draws a row of 8 examples of each kind, three times their size."""
    images, labels = _pictures(dataset), dataset.labels
    rows = (
        {"clean": images[:8]}
        | corrupted(images[:8], seed)
        | non_digits(images, labels, seed, 8)
    )
    zoom, margin = 3, 110
    pitch = SIZE * zoom + 2
    sheet = Image.new("L", (margin + 8 * pitch, len(rows) * pitch), 128)
    for row, (name, pictures) in enumerate(rows.items()):
        ImageDraw.Draw(sheet).text((6, (row + 0.4) * pitch), name, fill=255)
        for column, picture in enumerate(pictures):
            large = np.kron(picture, np.ones((zoom, zoom), np.uint8))
            sheet.paste(Image.fromarray(large), (margin + column * pitch, row * pitch))
    sheet.save(path)


def _print_tables(classifier: Classifier, dataset: datasets.Dataset, seed: int) -> None:
    """Prints errors, then areas under the curve."""
    found = errors(classifier, dataset, seed)
    clean = found.pop("clean")
    print("error")
    for name, error in found.items():
        print(f"  {name:<15}{error:8.2%}")
    print(f"  {'mean of the 15':<15}{np.mean(list(found.values())):8.2%}")
    print(f"  {'clean':<15}{clean:8.2%}")
    print("AUROC of confidence, digits against")
    for name, area in aurocs(classifier, dataset, seed).items():
        print(f"  {name:<15}{area:8.4f}")


def main() -> None:
    """Prints what the model makes of corrupted digits and of what is none, or draws some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mnist_model.h5")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the training's split and of what is drawn",
    )
    parser.add_argument(
        "--sheet", metavar="PATH", help="draw 8 of each kind to a PNG, and stop"
    )
    arguments = parser.parse_args()
    train_set, dataset = datasets.load_train_and_test("mnist", None)
    if arguments.split == "validation":
        dataset = training_set.train_validation_split(
            train_set, TrainConfig(seed=arguments.seed)
        )[1]
    if arguments.sheet:
        draw_sheet(dataset, arguments.seed, arguments.sheet)
    else:
        _print_tables(Classifier.load(arguments.model), dataset, arguments.seed)


if __name__ == "__main__":
    main()
