import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from cnn.preprocessing import components, decode, pipeline, ruled_lines
from cnn.preprocessing.pipeline import load_image


def seven(size=280, box=(100, 60, 180, 220), width=16, ink=0, paper=255) -> Image.Image:
    """Draws a 7 by two strokes, in the given box."""
    left, top, right, bottom = box
    image = Image.new("L", (size, size), paper)
    draw = ImageDraw.Draw(image)
    draw.line([(left, top), (right, top)], ink, width)
    draw.line([(right, top), (left + 20, bottom)], ink, width)
    return image


def loaded(image, path, **options):
    image.save(path, **options)
    picture = load_image(path)
    assert picture.shape == (28, 28, 1)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() <= picture.max() <= 1
    return picture[..., 0]


@pytest.fixture
def expected(tmp_path):
    return loaded(seven(), tmp_path / "expected.png")


def likeness(a, b) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def extent(picture):
    rows, columns = (np.flatnonzero((picture > 0.2).any(axis)) for axis in (1, 0))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def centre_of_mass(picture):
    y, x = np.mgrid[:28, :28]
    return (picture * y).sum() / picture.sum(), (picture * x).sum() / picture.sum()


def test_ink_is_scaled_to_20_pixels_keeps_its_shape_and_is_centred_by_mass(expected):
    height, width = extent(expected)
    assert height in (20, 21)
    # The strokes' outlines are 176 high (60 - 8 to 220 + 8) and about 96 wide.
    assert abs(width - 20 * 96 / 176) <= 1.5
    assert np.abs(np.subtract(centre_of_mass(expected), 14)).max() <= 0.6


def test_anti_aliased(expected):
    assert len(np.unique(expected.round(2))) > 20


def test_mnist_pictures_go_through_almost_unchanged_in_both_polarities(
    mnist_test, tmp_path
):
    errors = []
    for pixels in mnist_test.images[:200, ..., 0]:
        for image in (
            Image.fromarray(pixels),
            ImageOps.invert(Image.fromarray(pixels)),
        ):
            errors.append(
                np.abs(loaded(image, tmp_path / "m.png") - pixels / 255).mean()
            )
    assert np.quantile(errors, 0.95) < 0.004
    assert np.mean(errors) < 0.003


MODES = {
    "1": ("png", lambda im: im.convert("1")),
    "L": ("png", lambda im: im),
    "LA": ("png", lambda im: im.convert("LA")),
    "P": ("png", lambda im: im.convert("RGB").quantize(8)),
    "RGB": ("bmp", lambda im: im.convert("RGB")),
    "RGBA": ("png", lambda im: im.convert("RGBA")),
    "CMYK": ("jpg", lambda im: im.convert("CMYK")),
    "CMYK tiff": ("tiff", lambda im: im.convert("CMYK")),
    "YCbCr": ("tiff", lambda im: im.convert("YCbCr")),
    "I;16": ("png", lambda im: Image.fromarray(np.asarray(im).astype(np.uint16) * 257)),
    "I;16 of 12 bits": (
        "tiff",
        lambda im: Image.fromarray(np.asarray(im).astype(np.uint16) * 16),
    ),
    "I;16B": ("tiff", lambda im: Image.fromarray(np.asarray(im).astype(">u2") * 257)),
    "F": ("tiff", lambda im: Image.fromarray(np.asarray(im).astype(np.float32) / 255)),
    "F of any range": (
        "tiff",
        lambda im: Image.fromarray(np.asarray(im).astype(np.float32) * 3 - 200),
    ),
    "GIF": ("gif", lambda im: im),
    "WebP": ("webp", lambda im: im),
    "PGM": ("pgm", lambda im: im),
    "PPM": ("ppm", lambda im: im.convert("RGB")),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_format_shows_the_same(expected, tmp_path, mode):
    ending, convert = MODES[mode]
    options = {"compression": "jpeg"} if mode == "YCbCr" else {}
    assert (
        likeness(
            loaded(convert(seven()), tmp_path / f"a.{ending}", **options), expected
        )
        > 0.99
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(expected, tmp_path, orientation):
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = seven() if undo is None else seven().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert (
        likeness(loaded(stored, tmp_path / "a.jpg", exif=exif, quality=95), expected)
        > 0.98
    )
    assert likeness(loaded(stored, tmp_path / "a.png", exif=exif), expected) > 0.98


def test_broken_exif_is_no_reason_to_refuse_a_picture(expected, tmp_path):
    assert (
        likeness(
            loaded(
                seven(), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"
            ),
            expected,
        )
        > 0.98
    )


@pytest.mark.parametrize("size", [40, 64, 200, 1000, 3000])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_any_size_shows_the_same(expected, tmp_path, size, ending):
    image = seven().resize((size, size), Image.Resampling.LANCZOS)
    assert likeness(loaded(image, tmp_path / f"a.{ending}"), expected) > 0.95


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "CMYK", "I;16", "F"])
def test_large_pictures_of_any_mode_show_the_same(expected, tmp_path, mode):
    ending, convert = {**MODES, "P": ("gif", MODES["P"][1])}[mode]
    image = convert(seven().resize((2000, 2000), Image.Resampling.BICUBIC))
    assert likeness(loaded(image, tmp_path / f"a.{ending}"), expected) > 0.99


@pytest.mark.parametrize(
    ("ink", "paper"), [(0, 255), (255, 0), (60, 150), (200, 90), (120, 255), (250, 160)]
)
def test_polarity_and_contrast_do_not_matter(expected, tmp_path, ink, paper):
    assert (
        likeness(loaded(seven(ink=ink, paper=paper), tmp_path / "a.png"), expected)
        > 0.99
    )


@pytest.mark.parametrize("ink", [(0, 0, 0), (30, 30, 120), (255, 255, 255)])
def test_ink_on_transparency_is_found_light_ink_too(expected, tmp_path, ink):
    image = Image.new("RGBA", (280, 280), (*ink, 0))
    image.putalpha(ImageOps.invert(seven()))
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.98


def test_a_transparent_palette_colour_is_paper(expected, tmp_path):
    image = seven(paper=1, ink=0).convert("P")
    image.putpalette([20, 20, 20, 0, 0, 0])
    assert likeness(loaded(image, tmp_path / "a.png", transparency=1), expected) > 0.98


@pytest.mark.parametrize("corner", [(10, 10), (600, 30), (40, 800), (650, 820)])
def test_a_small_digit_is_found_anywhere_on_a_page(expected, tmp_path, corner):
    page = Image.new("L", (750, 1000), 240)
    page.paste(seven(paper=240).resize((90, 90), Image.Resampling.BICUBIC), corner)
    assert likeness(loaded(page, tmp_path / "a.png"), expected) > 0.95


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("margin", [-3, 0, 5])
def test_a_digit_that_touches_the_edges_keeps_its_polarity(
    expected, tmp_path, margin, invert
):
    image = seven().crop((92 - margin, 52 - margin, 188 + margin, 228 + margin))
    image = ImageOps.invert(image) if invert else image
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.9


@pytest.mark.parametrize("width", [8, 40])
def test_a_dark_frame_is_not_paper(expected, tmp_path, width):
    image = ImageOps.expand(seven(), width, 0)
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.98


@pytest.mark.parametrize(
    "bar", [(0, 0, 279, 19), (0, 250, 279, 279), (0, 0, 12, 279), (262, 0, 279, 279)]
)
def test_a_bar_along_an_edge_is_not_ink(expected, tmp_path, bar):
    image = seven()
    ImageDraw.Draw(image).rectangle(bar, 30)
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.97


def test_uneven_light_and_noise_are_not_ink(expected, tmp_path):
    draw = np.random.default_rng(0)
    light = np.linspace(0.55, 1, 280)[None, :] * np.linspace(0.8, 1, 280)[:, None]
    noisy = np.asarray(seven()) * light + draw.normal(0, 3, (280, 280))
    image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    assert likeness(loaded(image, tmp_path / "a.jpg"), expected) > 0.9


def test_specks_far_from_the_digit_are_dropped_and_broken_strokes_kept(
    expected, tmp_path
):
    image = seven()
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 15, 15), 0)
    draw.ellipse((260, 250, 266, 256), 0)
    draw.rectangle((100, 130, 200, 138), 255)  # A gap across the long stroke.
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.93


def test_marks_are_chosen_by_hand():
    strength = np.zeros((60, 60), np.float32)
    strength[20:40, 28:32] = (
        100  # 80 of area, 20 high: near is up to 5 pixels away, no speck from 320 of ink.
    )
    strength[43:46, 29:31] = 100  # Near, and no speck.
    strength[30, 45] = 100  # A speck, and 13 away.
    strength[20:40, 52:54] = 100  # Half as heavy, and far away: another character.
    strength[0:60, 0:2] = 100  # A bar along an edge.
    choice = components.select_character(strength, 50, may_touch_border=False)
    assert choice.mask.sum() == 86
    assert choice.mask[20:40, 28:32].all()
    assert choice.mask[43:46, 29:31].all()
    assert choice.unambiguous
    assert choice.has_other_characters


def test_a_full_stop_is_not_the_characters(expected, tmp_path):
    image = seven()
    ImageDraw.Draw(image).ellipse((192, 214, 210, 232), 0)
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.98


def test_of_two_characters_the_larger_is_read_and_the_other_told(expected, tmp_path):
    image = seven()
    ImageDraw.Draw(image).line([(255, 80), (255, 180)], 0, 14)
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.98
    decoded = pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist")
    assert (decoded.status, decoded.detail) == ("ok", "several marks: read the largest")
    seven().save(tmp_path / "a.png")
    assert pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").detail == ""


def on_rules(image, pitch, squared, ink=120, tilt=0.02):
    """Draws rules through a picture, at a slight angle, where it is not darker."""
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
    plain = loaded(seven(width=10), tmp_path / "plain.png")
    assert likeness(loaded(image, tmp_path / "a.png"), plain) > 0.93


def test_rules_are_found_where_they_are():
    page = np.zeros((120, 160), np.float32)
    page[30:32] = 1
    page[90, :] = 1
    page[50:80, 60:64] = 1  # A stroke, which does not reach the edges.
    assert sorted(
        round(line.middle) for line in ruled_lines.find_ruled_lines(page)
    ) in ([30, 90], [31, 90])
    assert ruled_lines.find_ruled_lines(np.ascontiguousarray(page.T)) == []


def test_rules_that_leave_by_the_top_are_found_and_strokes_in_the_middle_are_none():
    page = np.zeros((60, 180), np.float32)
    page[25:35, 60:120] = (
        1  # Five of the twelve pieces of a line, and none of its ends.
    )
    assert ruled_lines.find_ruled_lines(page) == []
    columns = np.arange(
        40, 180
    )  # It rises to the left, and leaves by the top at column 40.
    page[np.rint(0.1 * (columns - 40)).astype(int), columns] = 1
    (line,) = ruled_lines.find_ruled_lines(page)
    assert line.middle == pytest.approx(0.1 * (89.5 - 40), abs=1.5)
    assert line.slope == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("size", [200, 280, 500])
@pytest.mark.parametrize("pitch", [20, 55, 90])
@pytest.mark.parametrize("tilt", [0, -0.05])
@pytest.mark.parametrize("squared", [False, True])
def test_a_page_of_nothing_but_rules_is_blank(tmp_path, size, pitch, tilt, squared):
    page = on_rules(
        Image.new("L", (size, size), 250), pitch * size // 280, squared, tilt=tilt
    )
    assert not loaded(page, tmp_path / "a.png").any()


def test_thin_strokes_are_given_a_width_that_mnists_have(tmp_path):
    hair, pen = (loaded(seven(width=width), tmp_path / "a.png") for width in (2, 16))
    assert 0.5 < hair.sum() / pen.sum() < 1.1


@pytest.mark.parametrize("angle", [0, 45, 110])
def test_the_edge_of_a_shadow_is_not_ink(expected, tmp_path, angle):
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    along = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle)) - 0.2
    light = 1 - 0.45 / (1 + np.exp(-along * 60))
    image = Image.fromarray(
        (np.asarray(seven(ink=40, paper=230)) * light).astype(np.uint8)
    )
    assert likeness(loaded(image, tmp_path / "a.jpg"), expected) > 0.9


def test_the_same_pixels_give_the_same_picture_by_any_way_of_storing(tmp_path):
    image = seven()
    first = loaded(image, tmp_path / "a.png")
    for ending in ("bmp", "tiff", "pgm", "gif"):
        np.testing.assert_array_equal(loaded(image, tmp_path / f"a.{ending}"), first)


def test_a_view_shows_the_file_upright_and_where_its_ink_is(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    page = Image.new("RGB", (600, 1000), "white")
    page.paste(seven().resize((140, 140)), (400, 60))
    page.transpose(Image.Transpose.ROTATE_90).save(
        tmp_path / "a.jpg", exif=exif, quality=95
    )
    view = pipeline.explain(tmp_path / "a.jpg")
    assert view.original.shape == (400, 240, 3)
    assert view.mask.shape == (400, 240)
    rows, columns = (np.flatnonzero((view.mask > 0.2).any(axis)) for axis in (1, 0))
    # The strokes are from (50 - 4, 30 - 4) to (90, 110 + 4) of 140, pasted at (400, 60), shrunk to 0.4.
    assert (
        np.abs(
            np.array([columns[0], columns[-1], rows[0], rows[-1]]) - [180, 197, 34, 70]
        ).max()
        <= 3
    )


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
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.98


@pytest.mark.parametrize("sides", [(0, 1, 2), (0, 1), (1, 2), (0, 3)])
def test_what_is_left_of_a_drawn_box_is_not_the_digits(expected, tmp_path, sides):
    image = seven(400, (160, 120, 240, 280))
    draw = ImageDraw.Draw(image)
    corners = [(90, 70), (310, 76), (306, 330), (86, 324)]
    for side in sides:
        draw.line([corners[side], corners[(side + 1) % 4]], 0, 5)
    assert likeness(expected, loaded(image, tmp_path / "a.png")) > 0.97


@pytest.mark.parametrize("degrees", [0, 12, -25])
@pytest.mark.parametrize("table", [20, 90])
def test_a_table_about_the_sheet_is_not_ink(expected, tmp_path, degrees, table):
    sheet = seven().convert("LA").rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    image = Image.new("L", (sheet.width + 60, sheet.height + 40), table)
    image.paste(sheet.getchannel(0), (25, 20), sheet.getchannel(1))
    picture = loaded(
        image.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=table),
        tmp_path / "a.png",
    )
    assert likeness(expected, picture) > 0.95


def test_lines_of_print_above_and_below_are_not_the_digits(expected, tmp_path):
    image, font = seven(400, (160, 120, 240, 280)), ImageFont.load_default(15)
    for y in (75, 310):
        ImageDraw.Draw(image).text(
            (60, y), "Please write one digit between the lines", 0, font
        )
    assert likeness(expected, loaded(image, tmp_path / "a.png")) > 0.97


@pytest.mark.parametrize("gap", [60, 25, 16])
def test_of_digits_in_a_row_one_is_read(expected, tmp_path, gap):
    """However close they stand, as long as they do not touch."""
    large, small = (100, 60, 180, 220), (180 + gap + 8, 70, 250 + gap, 210)
    image = ImageChops.darker(seven(360, large), seven(360, small))
    assert likeness(expected, loaded(image, tmp_path / "a.png")) > 0.97
    assert (
        pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").detail
        == "several marks: read the largest"
    )


@pytest.mark.parametrize(
    ("ink", "paper"), [((255, 0, 0), (0, 130, 0)), ((200, 0, 0), (70, 70, 70))]
)
def test_ink_as_light_as_the_paper_is_found_by_its_colour(
    expected, tmp_path, ink, paper
):
    image = ImageOps.colorize(seven(), black=ink, white=paper)
    assert likeness(loaded(image, tmp_path / "a.png"), expected) > 0.95


def test_tight_crops_of_real_digits_keep_their_polarity(mnist_test, tmp_path):
    likenesses = []
    for pixels in mnist_test.images[:100, ..., 0]:
        rows, columns = (np.flatnonzero((pixels > 60).any(axis)) for axis in (1, 0))
        cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        for image in (Image.fromarray(cut), ImageOps.invert(Image.fromarray(cut))):
            likenesses.append(likeness(loaded(image, tmp_path / "a.png"), pixels / 255))
    # A straight 1, cut out, is a rectangle of nothing but ink.
    assert np.mean(np.array(likenesses) > 0.9) > 0.93


@pytest.mark.parametrize("noise", [2, 6, 12, 30])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_noisy_blank_page_is_blank(tmp_path, noise, ending):
    page = np.random.default_rng(noise).normal(200, noise, (400, 300)).clip(0, 255)
    assert not loaded(
        Image.fromarray(page.astype(np.uint8)), tmp_path / f"a.{ending}"
    ).any()


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (28, 28), (300, 200)])
def test_a_blank_page_is_all_background(tmp_path, shade, size):
    assert not loaded(Image.new("L", size, shade), tmp_path / "a.png").any()


def test_a_blank_page_with_noise_and_shade_is_all_background(tmp_path):
    draw = np.random.default_rng(0)
    page = np.linspace(150, 220, 300)[None, :] + draw.normal(0, 2, (200, 300))
    assert not loaded(Image.fromarray(page.astype(np.uint8)), tmp_path / "a.png").any()


def test_emnist_is_fitted_to_24_pixels_and_resize_leaves_the_picture_as_it_is(tmp_path):
    seven().save(tmp_path / "a.png")
    height, _ = extent(load_image(tmp_path / "a.png", "emnist")[..., 0])
    assert height in (24, 25)
    stretched = load_image(tmp_path / "a.png", "resize")[..., 0]
    np.testing.assert_allclose(
        stretched,
        np.asarray(seven().resize((28, 28), Image.Resampling.LANCZOS)) / 255,
        atol=0.05,
    )


def reason(path):
    with pytest.raises(decode.UnreadableImageError) as error:
        load_image(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_picture_says_why(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    assert reason(tmp_path / "empty.png") == "empty file"
    assert (
        reason(tmp_path / "text.png")
        == "not an image (expected PNG, JPEG, BMP, GIF, TIFF, WEBP, PPM)"
    )
    assert reason(tmp_path / "folder.png") == "a folder, not an image"
    assert reason(tmp_path / "none.png") == "no such file"


def test_postscript_is_never_interpreted(tmp_path):
    (tmp_path / "a.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    )
    assert "not an image" in reason(tmp_path / "a.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "tiff", "webp", "bmp"])
def test_a_truncated_file_is_unreadable(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged image" in reason(path)


def png(width, height) -> bytes:
    """Writes a PNG whose header promises more than it holds."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(60_000, 60_000), (15_000, 15_000)])
def test_a_decompression_bomb_is_not_decoded(tmp_path, size):
    (tmp_path / "a.png").write_bytes(png(*size))
    assert reason(tmp_path / "a.png").startswith("too large: ")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_picture_of_any_shape_gives_a_frame(tmp_path_factory, data):
    height, width = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    mode = data.draw(st.sampled_from(["1", "L", "RGB", "RGBA", "LA", "P", "I;16"]))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    pixels = draw.integers(
        0, data.draw(st.integers(1, 256)), (height, width, 4), np.uint8
    )
    image = (
        Image.fromarray(pixels, "RGBA")
        if mode == "RGBA"
        else Image.fromarray(pixels[..., 0])
    )
    path = tmp_path_factory.mktemp("any") / "a.png"
    (image if mode in ("RGBA", "L") else image.convert(mode)).save(path)
    picture = load_image(path)
    assert picture.shape == (28, 28, 1)
    assert np.isfinite(picture).all()
    assert 0 <= picture.min() <= picture.max() <= 1


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"]), st.data())
def test_a_mutated_file_gives_a_frame_or_a_reason(tmp_path_factory, kind, data):
    content = io.BytesIO()
    seven(56, (20, 12, 36, 44), 4).save(content, kind)
    mutated = bytearray(content.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path = tmp_path_factory.mktemp("mutated") / "a"
    path.write_bytes(mutated)
    decoded = pipeline.preprocess_file(str(path), "mnist")
    assert (decoded.candidates is None) == (decoded.status != "ok")
    assert decoded.status == "ok" or decoded.detail


def test_ink_that_only_one_colour_of_a_large_jpeg_shows_is_found(tmp_path):
    """Its lightness is that of the paper."""
    paper, ink = (120, 120, 120), (220, 70, 120)
    greys = [
        Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))
        for colour in (paper, ink)
    ]
    assert abs(greys[0] - greys[1]) <= 1
    page = Image.new("RGB", (3000, 2400), paper)
    page.paste(ink, (1400, 600, 1700, 1800))
    page.save(tmp_path / "a.jpg", quality=95)
    with (
        open(tmp_path / "a.jpg", "rb") as file,
        decode.open_image(file, in_colours=False) as image,
    ):
        assert (image.mode, max(image.size)) == ("L", 750)
    picture = pipeline.load_image(tmp_path / "a.jpg")[..., 0]
    rows, columns = np.nonzero(picture > 0.5)
    assert 18 <= np.ptp(rows) + 1 <= 20
    assert 4 <= np.ptp(columns) + 1 <= 6
