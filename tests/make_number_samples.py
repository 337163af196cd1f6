"""Makes tests/number_samples/: numbers of MNIST test digits as people send them.

Run once: python -m tests.make_number_samples
"""

from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw, ImageFont, ImageOps

from cnn.augmentation.simulated_strings.character_pool import CharacterPool, make_pool
from cnn.augmentation.simulated_strings.hands import WRITING_HEIGHT, Hand
from cnn.augmentation.simulated_strings.writing import write_line
from cnn.data import datasets

FOLDER = Path(__file__).parent / "number_samples"
HAND = Hand(
    slant=0.12,
    slant_jitter=0.04,
    stretch=0.95,
    stroke=0.085,
    nib=0.0,
    size_jitter=0.04,
    baseline_jitter=0.02,
    drift=0.0,
    gap=0.17,
    gap_jitter=0.04,
    descending="",
    small="",
    joins=0.0,
)
SEED = 0
# Pages of the PDF: A5 at 100 pixels per inch.
PAGE_SIZE = (583, 827)
PAGE_DPI = 100


def main() -> None:
    test = datasets.load("mnist", "test")
    pool = make_pool(test.images, test.labels)
    FOLDER.mkdir(exist_ok=True)
    lay_on_paper(write(pool, "0427", 60)).save(FOLDER / "number_0427.png")
    touching = write(pool, "586", 60, HAND._replace(gap=-0.05, gap_jitter=0.0))
    lay_on_paper(touching).save(FOLDER / "touching_586.png")
    chalk = ImageOps.invert(lay_on_paper(write(pool, "1907", 40)))
    chalk.save(FOLDER / "light-on-dark_1907.png")
    draw_comb(pool, "20481935").save(FOLDER / "comb_20481935.png")
    save_heic(pool, FOLDER / "sideways_7350.heic")
    save_pages([make_form(pool, "30715", 1), make_form(pool, "48260", 2)])
    numbers = [
        lay_on_paper(write(pool, t, 48)).convert("1", dither=Image.Dither.NONE)
        for t in ("12", "345", "6789")
    ]
    numbers[0].save(
        FOLDER / "three-pages.tiff",
        save_all=True,
        append_images=numbers[1:],
        compression="group4",
    )


def write(
    pool: CharacterPool,
    text: str,
    height: int,
    hand: Hand = HAND,
    pitch: float | None = None,
) -> Image.Image:
    """Writes a number, light on dark, with digits of a height in pixels."""
    cell = None if pitch is None else pitch * WRITING_HEIGHT / height
    line = write_line(
        np.random.default_rng([SEED, int(text)]), pool, text, hand, pitch=cell
    )
    image = Image.fromarray(np.rint(line.coverage * 255).astype(np.uint8))
    scale = height / WRITING_HEIGHT
    size = (round(image.width * scale), round(image.height * scale))
    return image.resize(size, Image.Resampling.BOX)


def lay_on_paper(ink: Image.Image, margin: int = 24) -> Image.Image:
    """Dark ink on white paper, in 16 levels so that the file is small."""
    page = ImageOps.invert(ImageOps.expand(ink, margin))
    return page.quantize(16).convert("L")


def draw_comb(pool: CharacterPool, text: str, pitch: int = 44) -> Image.Image:
    """Writes a number into a frame with ticks."""
    ink = write(pool, text, 44, pitch=pitch)
    page = Image.new("L", (len(text) * pitch + 40, 110), 255)
    page.paste(0, (20, 60 - ink.height // 2), ink)
    draw = ImageDraw.Draw(page)
    right = 20 + len(text) * pitch
    draw.rectangle((20, 22, right, 92), outline=90, width=2)
    for x in range(20 + pitch, right, pitch):
        draw.line((x, 78, x, 92), 90, 2)
    return page.quantize(16).convert("L")


def make_form(pool: CharacterPool, text: str, number: int) -> Image.Image:
    """A page of an exam, with the student number in a comb at the same place."""
    page = Image.new("L", PAGE_SIZE, 255)
    draw = ImageDraw.Draw(page)
    draw.text((60, 60), "Linear algebra", 0, ImageFont.load_default(28))
    draw.text((60, 150), "Student number", 0, ImageFont.load_default(16))
    page.paste(draw_comb(pool, text), (220, 110))
    draw.text((60, 760), f"Sheet {number}", 0, ImageFont.load_default(14))
    return page


def save_pages(pages: list[Image.Image]) -> None:
    """Writes a PDF whose dates do not change."""
    pages[0].save(
        FOLDER / "two-pages.pdf",
        save_all=True,
        append_images=pages[1:],
        resolution=PAGE_DPI,
        quality=60,
        creationDate=None,
        modDate=None,
    )


def save_heic(pool: CharacterPool, path: Path) -> None:
    """As a telephone stores a photograph: turned, with a note of how to turn it back."""
    ink = write(pool, "7350", 90)
    paper = Image.linear_gradient("L").resize((520, 390)).point(lambda v: 150 + v // 4)
    paper.paste(40, (110, 150), ink)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = paper.convert("RGB").rotate(90, expand=True)
    pillow_heif.from_pillow(turned).save(path, quality=50, exif=exif.tobytes())


if __name__ == "__main__":
    main()
