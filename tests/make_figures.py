"""Draws the README's figures of training images, of pictures and of simulated pages.

They are written to `tests/figures`. Run by hand, after `bin/train`:
python -m tests.make_figures [--model MODEL] [NAME ...]
with names among augmentation, one_picture, number_page, pages and serve_page, or none
for all. The last one needs Chromium.
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from cnn.augmentation import affine, corruptions, glyphs, outlier_exposure
from cnn.augmentation.simulated_pages import PAGE_KINDS, make_page_examples
from cnn.augmentation.simulated_strings import simulate_number_page
from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.image_files.listing import InputFile
from cnn.inference.number_report import save_number_visualization
from cnn.inference.report import save_visualization
from cnn.inference.source_predictions import SourceResult
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import Source
from tests.conftest import ROOT
from tests.serving.page import browser

FIGURES = ROOT / "tests" / "figures"
FIGURE_NAMES = ("augmentation", "one_picture", "number_page", "pages", "serve_page")
COUNT = 16
PAGE_COLUMNS = 7
DOTS_PER_INCH = 120
GREEN, RED = "#1a7f37", "#c62828"
# The page of numbers is as wide as its figure. Its part ends below a row of
# the table.
NUMBER_PAGE_DPI = 145
NUMBER_PAGE_PART = 0.485
# Colors of its figure. Paper has grain, which PNG stores at three times the size.
NUM_COLORS = 64
# Size of the screen in the figure of the page of bin/serve.
SCREEN = {"width": 1280, "height": 935}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    names = arguments.names or FIGURE_NAMES
    if "augmentation" in names:
        plot_image_rows(augmented_rows(), FIGURES / "augmentation.png")
    if "one_picture" in names:
        plot_one_picture(Classifier.load(arguments.model), FIGURES / "one_picture.png")
    if "number_page" in names:
        plot_number_page(Classifier.load(arguments.model), FIGURES / "number_page.png")
    if "pages" in names:
        plot_page_examples(Classifier.load(arguments.model), FIGURES / "pages.png")
    if "serve_page" in names:
        model = ["--model", arguments.model] if arguments.model else []
        take_serve_page(FIGURES / "serve_page.png", *model)


def augmented_rows() -> dict[str, np.ndarray]:
    """Augments the first training images: one row per warp, corruption and kind."""
    dataset = datasets.load("mnist", "train")
    digits = (dataset.images[:COUNT, ..., 0] / 255).astype(np.float32)
    maps = affine.sample_affine(
        jax.random.key(0), COUNT, affine.AffineRanges(10, 0.1, 0.1, 2)
    )
    identity = affine.sample_affine(
        jax.random.key(0), COUNT, affine.AffineRanges(0, 0, 0, 0)
    )
    displacements = affine.sample_elastic(jax.random.key(1), COUNT, 0.4)
    rows = {
        "(training images)": digits,
        "(affine warp)": affine.warp(digits, maps),
        "(elastic warp)": affine.warp(digits, identity, displacements),
    }
    for number, (name, corrupt) in enumerate(corruptions.CORRUPTIONS.items()):
        rows[name] = jax.jit(corrupt)(jax.random.key(number), digits)
    targets = np.eye(10, dtype=np.float32)[dataset.labels]
    printed = outlier_exposure.printed_outliers(dataset.class_names)
    outliers, _ = outlier_exposure.make_outliers(
        0, dataset.images, targets, 5 * COUNT, printed
    )
    pages, _ = make_page_examples(0, dataset.images, targets, COUNT, "mnist")
    rows["(joined halves)"] = outliers[:COUNT, ..., 0] / 255
    rows["(other outliers)"] = outliers[-COUNT:, ..., 0] / 255
    rows["(synthetic glyphs)"] = glyphs.make_glyphs(0, COUNT)[0][..., 0] / 255
    rows["(simulated pages)"] = pages[:COUNT, ..., 0] / 255
    return {name: np.asarray(images) for name, images in rows.items()}


def plot_image_rows(rows: Mapping[str, np.ndarray], path: Path) -> None:
    """Draws a row of images, `float32 (n, height, width)` in [0, 1], per name."""
    count = max(len(images) for images in rows.values())
    size = (3.0 + 0.42 * count, 0.2 + 0.43 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    for row, images in enumerate(rows.values()):
        for column, image in enumerate(images):
            extent = (column + 0.03, column + 0.97, row + 0.97, row + 0.03)
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=extent)
    axes.set(xlim=(0, count), ylim=(len(rows), 0), aspect="equal", xticks=[])
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save_cropped(figure, path)


def plot_one_picture(classifier: Classifier, path: Path) -> None:
    """Draws a simulated page on squared paper as `bin/infer --debug-dir` does."""
    test = datasets.load("mnist", "test")
    digit = test.images[0, ..., 0] / np.float32(255)
    page = PAGE_KINDS["squared"](np.random.default_rng(4), digit)
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/squared.png"
        Image.fromarray(page).save(name)
        prediction = classifier.predict_files(name)[0]
        save_visualization(
            InputFile(name, "squared.png"), prediction, Path(folder), "mnist"
        )
        shutil.copy(f"{folder}/squared.png.png", path)


def take_serve_page(path: Path, *arguments: object) -> None:
    """Takes a screenshot of the page of `bin/serve`: characters, and below them a page.

    The page of numbers has another layout, and thus a screenshot of its own.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.open_browser() as chromium,
        browser.serve("--corrections", folder, *arguments) as url,
    ):
        page = chromium.new_page(viewport=SCREEN, color_scheme="light")
        page.goto(url)
        browser.drop(page, browser.SAMPLES / "sideways_4.jpg")
        browser.draw(page, browser.SEVEN)
        browser.wait_until_read(page, 2)
        screen = to_image(page.screenshot())
        page.get_by_role("button", name="Remove all").click()
        browser.choose_layout(page, "numbers")
        table = Path(folder) / "table.png"
        Image.fromarray(simulate_table()).save(table)
        browser.drop(page, table)
        card = browser.card(page, table.name)
        card.locator("li:has(.is-ok) .tile").first.click()
        left = int(card.bounding_box()["x"])
        below = to_image(card.screenshot())
    size = (
        screen.width,
        screen.height + below.height + screen.width - left - below.width,
    )
    figure = Image.new("RGB", size, screen.getpixel((0, 0)))
    figure.paste(screen)
    figure.paste(below, (left, screen.height))
    figure.quantize(dither=Image.Dither.NONE).save(path, optimize=True)


def to_image(png: bytes) -> Image.Image:
    """Decodes a screenshot."""
    return Image.open(io.BytesIO(png)).convert("RGB")


def simulate_table() -> np.ndarray:
    """Simulates the upper part of a table of numbers, as gray pixels."""
    test = datasets.load("mnist", "test")
    rng = np.random.default_rng(0)
    page = simulate_number_page(rng, "table", test.images, test.labels, NUMBER_PAGE_DPI)
    shown: np.ndarray = page.image[: int(NUMBER_PAGE_PART * len(page.image))]
    return shown


def plot_number_page(classifier: Classifier, path: Path) -> None:
    """Draws a simulated table of numbers as `bin/infer --debug-dir` does."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/table.png"
        Image.fromarray(simulate_table()).save(name)
        numbers = classifier.read_page(name)
        file = InputFile(name, "table.png")
        save_number_visualization(
            SourceResult(file, Source(name), numbers, ""), Path(folder)
        )
        figure = Image.open(f"{folder}/table.png.png").convert("RGB")
    figure.quantize(NUM_COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


def plot_page_examples(classifier: Classifier, path: Path) -> None:
    """Draws a page of each kind, the network's input and its prediction."""
    test = datasets.load("mnist", "test")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{kind}.png" for kind in PAGE_KINDS]
        for i, (file, render) in enumerate(
            zip(files, PAGE_KINDS.values(), strict=True)
        ):
            digit = test.images[i, ..., 0] / np.float32(255)
            Image.fromarray(render(np.random.default_rng(i), digit)).save(file)
        predictions = classifier.predict_files(files)
        originals = [pipeline.explain(file).original for file in files]
    rows = -(-len(PAGE_KINDS) // PAGE_COLUMNS)
    figure = Figure(figsize=(13, 1.35 * rows), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 2.2 * PAGE_COLUMNS), ylim=(1.5 * rows, 0), aspect="equal")
    for i, (kind, prediction) in enumerate(zip(PAGE_KINDS, predictions, strict=True)):
        row, column = divmod(i, PAGE_COLUMNS)
        left, top = 2.2 * column, 1.5 * row + 0.5
        draw_in_square(axes, originals[i], left, top)
        if prediction.image is not None:
            image = np.squeeze(prediction.image)
            draw_in_square(axes, image, left + 1.04, top, cmap="gray_r", vmin=0)
        text = f"{kind.replace('_', ' ')}\nread as {prediction.prediction}, "
        text += f"{prediction.confidence:.1%}"
        is_right = prediction.prediction == str(test.labels[i])
        color = GREEN if is_right else RED
        middle = left + 1.02
        axes.text(
            middle, top - 0.05, text, ha="center", va="bottom", fontsize=9, color=color
        )
    save_cropped(figure, path)


def draw_in_square(
    axes: Axes, image: np.ndarray, left: float, top: float, **options
) -> None:
    """Draws an image of any shape in the middle of a square of side 1."""
    height, width = np.array(image.shape[:2]) / max(image.shape[:2])
    left += (1 - width) / 2
    top += (1 - height) / 2
    axes.imshow(image, extent=(left, left + width, top + height, top), **options)


def save_cropped(figure: Figure, path: Path, margin: int = 12) -> None:
    """Saves a figure as PNG, without the blank bands around its content."""
    figure.set_dpi(DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    rows, columns = np.nonzero((pixels != 255).any(axis=-1))
    top, left = max(rows.min() - margin, 0), max(columns.min() - margin, 0)
    cropped = pixels[top : rows.max() + margin + 1, left : columns.max() + margin + 1]
    Image.fromarray(cropped).save(path, optimize=True)


if __name__ == "__main__":
    main()
