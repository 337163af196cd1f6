"""Pages with a drawn digit, of which only the digit is ink."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from cnn.preprocessing import pipeline
from tests.preprocessing.drawings import correlation, preprocess, seven


@pytest.mark.parametrize(
    ("ink", "paper"), [(0, 255), (255, 0), (60, 150), (200, 90), (120, 255), (250, 160)]
)
def test_polarity_and_contrast_do_not_matter(expected, tmp_path, ink, paper):
    assert (
        correlation(
            preprocess(seven(ink=ink, paper=paper), tmp_path / "a.png"), expected
        )
        > 0.99
    )


@pytest.mark.parametrize("corner", [(10, 10), (600, 30), (40, 800), (650, 820)])
def test_a_small_digit_is_found_anywhere_on_a_page(expected, tmp_path, corner):
    page = Image.new("L", (750, 1000), 240)
    page.paste(seven(paper=240).resize((90, 90), Image.Resampling.BICUBIC), corner)
    assert correlation(preprocess(page, tmp_path / "a.png"), expected) > 0.95


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("margin", [-3, 0, 5])
def test_a_digit_that_touches_the_edges_keeps_its_polarity(
    expected, tmp_path, margin, invert
):
    image = seven().crop((92 - margin, 52 - margin, 188 + margin, 228 + margin))
    image = ImageOps.invert(image) if invert else image
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.9


@pytest.mark.parametrize("width", [8, 40])
def test_a_dark_frame_is_not_paper(expected, tmp_path, width):
    image = ImageOps.expand(seven(), width, 0)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.98


@pytest.mark.parametrize(
    "bar", [(0, 0, 279, 19), (0, 250, 279, 279), (0, 0, 12, 279), (262, 0, 279, 279)]
)
def test_a_bar_along_an_edge_is_not_ink(expected, tmp_path, bar):
    image = seven()
    ImageDraw.Draw(image).rectangle(bar, 30)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.97


def test_uneven_light_and_noise_are_not_ink(expected, tmp_path):
    draw = np.random.default_rng(0)
    light = np.linspace(0.55, 1, 280)[None, :] * np.linspace(0.8, 1, 280)[:, None]
    noisy = np.asarray(seven()) * light + draw.normal(0, 3, (280, 280))
    image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    assert correlation(preprocess(image, tmp_path / "a.jpg"), expected) > 0.9


def test_specks_far_from_the_digit_are_dropped_and_broken_strokes_kept(
    expected, tmp_path
):
    image = seven()
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 15, 15), 0)
    draw.ellipse((260, 250, 266, 256), 0)
    draw.rectangle((100, 130, 200, 138), 255)  # A gap across the long stroke.
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.93


def test_a_full_stop_is_not_the_characters(expected, tmp_path):
    image = seven()
    ImageDraw.Draw(image).ellipse((192, 214, 210, 232), 0)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.98


def on_rules(image, pitch, squared, ink=120, tilt=0.02):
    """Draws rules through an image, at a slight angle, where it is not darker."""
    size = image.width
    rules = Image.new("L", image.size, 255)
    draw = ImageDraw.Draw(rules)
    for start in range(pitch // 2, size, pitch):
        draw.line([(0, start), (size, start + tilt * size)], ink, 2)
        if squared:
            draw.line([(start, 0), (start - tilt * size, size)], ink, 2)
    return ImageChops.darker(image, rules)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("tilt", [0, 0.04, -0.1])
@pytest.mark.parametrize("ink", [170, 60])
def test_printed_rules_are_not_ink(expected, tmp_path, squared, tilt, ink):
    """Pale ones, and some that are nearly as dark as what is written through them."""
    image = on_rules(seven(width=10), 55, squared, ink, tilt)
    plain = preprocess(seven(width=10), tmp_path / "plain.png")
    assert correlation(preprocess(image, tmp_path / "a.png"), plain) > 0.93


@pytest.mark.parametrize("size", [200, 280, 500])
@pytest.mark.parametrize("pitch", [20, 55, 90])
@pytest.mark.parametrize("tilt", [0, -0.05])
@pytest.mark.parametrize("squared", [False, True])
def test_a_page_of_nothing_but_rules_is_blank(tmp_path, size, pitch, tilt, squared):
    page = on_rules(
        Image.new("L", (size, size), 250), pitch * size // 280, squared, tilt=tilt
    )
    assert not preprocess(page, tmp_path / "a.png").any()


@pytest.mark.parametrize("angle", [0, 45, 110])
def test_the_edge_of_a_shadow_is_not_ink(expected, tmp_path, angle):
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    along = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle)) - 0.2
    light = 1 - 0.45 / (1 + np.exp(-along * 60))
    image = Image.fromarray(
        (np.asarray(seven(ink=40, paper=230)) * light).astype(np.uint8)
    )
    assert correlation(preprocess(image, tmp_path / "a.jpg"), expected) > 0.9


@pytest.mark.parametrize("aslant", [0, 6, 14])
@pytest.mark.parametrize(
    "box", [(50, 30, 230, 250), (64, 24, 216, 256), (20, 10, 262, 270)]
)
def test_a_drawn_box_around_the_digit_is_not_ink(expected, tmp_path, box, aslant):
    image, (left, top, right, bottom) = seven(), box
    corners = [
        (left, top + aslant),
        (right - aslant, top),
        (right, bottom - aslant),
        (left + aslant, bottom),
    ]
    ImageDraw.Draw(image).polygon(corners, outline=0, width=4)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.98


@pytest.mark.parametrize("sides", [(0, 1, 2), (0, 1), (1, 2), (0, 3)])
def test_what_is_left_of_a_drawn_box_is_not_the_digits(expected, tmp_path, sides):
    image = seven(400, (160, 120, 240, 280))
    draw = ImageDraw.Draw(image)
    corners = [(90, 70), (310, 76), (306, 330), (86, 324)]
    for side in sides:
        draw.line([corners[side], corners[(side + 1) % 4]], 0, 5)
    assert correlation(expected, preprocess(image, tmp_path / "a.png")) > 0.97


@pytest.mark.parametrize("degrees", [0, 12, -25])
@pytest.mark.parametrize("table", [20, 90])
def test_a_table_about_the_sheet_is_not_ink(expected, tmp_path, degrees, table):
    sheet = seven().convert("LA").rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    image = Image.new("L", (sheet.width + 60, sheet.height + 40), table)
    image.paste(sheet.getchannel(0), (25, 20), sheet.getchannel(1))
    image = preprocess(
        image.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=table),
        tmp_path / "a.png",
    )
    assert correlation(expected, image) > 0.95


def test_lines_of_print_above_and_below_are_not_the_digits(expected, tmp_path):
    image, font = seven(400, (160, 120, 240, 280)), ImageFont.load_default(15)
    for y in (75, 310):
        ImageDraw.Draw(image).text(
            (60, y), "Please write one digit between the lines", 0, font
        )
    assert correlation(expected, preprocess(image, tmp_path / "a.png")) > 0.97


@pytest.mark.parametrize("gap", [60, 25, 16])
def test_of_digits_in_a_row_one_is_read(expected, tmp_path, gap):
    """However close they stand, as long as they do not touch."""
    large, small = (100, 60, 180, 220), (180 + gap + 8, 70, 250 + gap, 210)
    image = ImageChops.darker(seven(360, large), seven(360, small))
    assert correlation(expected, preprocess(image, tmp_path / "a.png")) > 0.97
    assert (
        pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").detail
        == "several marks: read the largest"
    )


def test_tight_crops_of_real_digits_keep_their_polarity(mnist_test, tmp_path):
    likenesses = []
    for pixels in mnist_test.images[:100, ..., 0]:
        rows, columns = (np.flatnonzero((pixels > 60).any(axis)) for axis in (1, 0))
        cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        for image in (Image.fromarray(cut), ImageOps.invert(Image.fromarray(cut))):
            likenesses.append(
                correlation(preprocess(image, tmp_path / "a.png"), pixels / 255)
            )
    # A straight 1, cut out, is a rectangle of nothing but ink.
    assert np.mean(np.array(likenesses) > 0.9) > 0.93


@pytest.mark.parametrize("noise", [2, 6, 12, 30])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_noisy_blank_page_is_blank(tmp_path, noise, ending):
    page = np.random.default_rng(noise).normal(200, noise, (400, 300)).clip(0, 255)
    assert not preprocess(
        Image.fromarray(page.astype(np.uint8)), tmp_path / f"a.{ending}"
    ).any()


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (28, 28), (300, 200)])
def test_a_blank_page_is_all_background(tmp_path, shade, size):
    assert not preprocess(Image.new("L", size, shade), tmp_path / "a.png").any()


def test_a_blank_page_with_noise_and_shade_is_all_background(tmp_path):
    draw = np.random.default_rng(0)
    page = np.linspace(150, 220, 300)[None, :] + draw.normal(0, 2, (200, 300))
    assert not preprocess(
        Image.fromarray(page.astype(np.uint8)), tmp_path / "a.png"
    ).any()
