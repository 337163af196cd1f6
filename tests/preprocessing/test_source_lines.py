"""Numbers of pages and regions: their boxes are those of the whole upright page."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.page_region import Region
from cnn.preprocessing.pipeline import explain, preprocess_file, preprocess_sources
from cnn.preprocessing.source import CountOptions, ReadOptions, Source
from tests.pdf_files import sevens_pdf

LINE = ReadOptions("mnist", "line")


def picture(scale: int = 1) -> Image.Image:
    """Two bars, at (40, 30) and (70, 30), of 8×40 pixels."""
    image = Image.new("L", (200 * scale, 100 * scale), 255)
    draw = ImageDraw.Draw(image)
    for left in (40, 70):
        corners = (left, 30, left + 8, 70)
        left, top, right, bottom = (scale * corner for corner in corners)
        draw.rectangle((left, top, right - 1, bottom - 1), fill=0)
    return image


def read(source: Source, options: ReadOptions = LINE):
    (result,) = preprocess_sources([source], options)
    return result


def box_of_line(source: Source) -> list[float]:
    (line,) = read(source).lines
    for lattice in line.lattices:
        np.testing.assert_allclose(lattice.boxes[:, :2].min(0), line.box[:2], atol=6)
        np.testing.assert_allclose(lattice.boxes[:, 2:].max(0), line.box[2:], atol=6)
    return line.box.tolist()


def test_a_picture_has_the_boxes_of_its_pixels(tmp_path):
    picture().save(tmp_path / "a.png")
    result = read(Source(str(tmp_path / "a.png")))
    assert (result.status, result.size) == ("ok", (200, 100))
    assert box_of_line(Source(str(tmp_path / "a.png"))) == pytest.approx(
        [40, 30, 78, 70], abs=3
    )


def test_the_boxes_of_a_region_are_those_of_the_page(tmp_path):
    picture().save(tmp_path / "a.png")
    source = Source(str(tmp_path / "a.png"), region=Region(0.1, 0.1, 0.6, 0.9))
    assert box_of_line(source) == pytest.approx([40, 30, 78, 70], abs=3)
    assert read(source).size == (200, 100)


def test_the_boxes_of_a_reduced_picture_are_those_of_the_whole_one(tmp_path):
    picture(scale=30).save(tmp_path / "a.png")
    source = Source(str(tmp_path / "a.png"))
    assert read(source).size == (6000, 3000)
    expected = [1200, 900, 2340, 2100]
    assert box_of_line(source) == pytest.approx(expected, abs=60)


def test_the_boxes_of_a_turned_photograph_are_those_of_the_upright_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture(scale=30).transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
    source = Source(str(tmp_path / "a.jpg"))
    assert read(source).size == (6000, 3000)
    expected = [1200, 900, 2340, 2100]
    assert box_of_line(source) == pytest.approx(expected, abs=60)


def test_every_page_of_a_pdf_has_its_number(tmp_path):
    (tmp_path / "a.pdf").write_bytes(sevens_pdf(50))
    sources = [Source(str(tmp_path / "a.pdf"), page) for page in (1, 21, 41)]
    results = preprocess_sources(sources, LINE)
    tops = [result.lines[0].box[1] for result in results]
    assert tops == pytest.approx([150, 210, 270], abs=4)
    assert {result.size for result in results} == {(300, 600)}
    assert {result.detail for result in results} == {""}


def test_pages_of_a_uri_are_read(tmp_path):
    (tmp_path / "a.pdf").write_bytes(sevens_pdf(100))
    # Large enough not to be read at once.
    assert (tmp_path / "a.pdf").stat().st_size > 8192
    source = Source((tmp_path / "a.pdf").as_uri(), 100)
    assert box_of_line(source) == pytest.approx([75, 297, 225, 597], abs=8)
    (count,) = preprocess_sources([source], CountOptions())
    assert count.num_pages == 100


@pytest.mark.parametrize("layout", ["character", "line"])
def test_the_first_page_of_several_says_so(tmp_path, layout):
    pages = [picture(), picture()]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    for name in ("a.tif", "a.dat"):
        (tmp_path / name).write_bytes(buffer.getvalue())
    options = ReadOptions("mnist", layout)
    named = read(Source(str(tmp_path / "a.tif")), options).detail
    assert named.endswith("page 1 of 2")
    other = read(Source(str(tmp_path / "a.dat")), options).detail
    assert "page 1 of 2; only files named .pdf, .tif, " in other
    assert "page" not in read(Source(str(tmp_path / "a.tif"), 1), options).detail


def test_a_source_that_has_failed_is_not_opened(tmp_path):
    source = Source(str(tmp_path / "no.pdf"), failure="has 2 pages")
    for options in (LINE, ReadOptions("mnist")):
        assert read(source, options)[1:3] == ("unreadable", "has 2 pages")


def test_a_character_is_read_on_a_page_and_in_a_region(tmp_path):
    """Page 2 has a bar in its right half, page 1 nothing."""
    page = Image.new("L", (400, 200), 255)
    ImageDraw.Draw(page).rectangle((290, 50, 309, 149), fill=0)
    bar = page.crop((200, 0, 400, 200))
    bar.save(tmp_path / "bar.png")
    blank = Image.new("L", (400, 200), 255)
    blank.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    path = str(tmp_path / "a.tif")
    options = ReadOptions("mnist")
    assert read(Source(path), options).status == "blank"
    assert read(Source(path, 2, Region(0, 0, 0.5, 1)), options).status == "blank"
    found = read(Source(path, 2, Region(0.5, 0, 1, 1)), options)
    expected = preprocess_file(str(tmp_path / "bar.png"), "mnist")
    np.testing.assert_array_equal(found.candidates, expected.candidates)
    overlay = explain(Source(path, 2, Region(0.5, 0, 1, 1)))
    assert overlay.original.shape == (200, 200, 3)
    columns = np.flatnonzero((overlay.mask > 0.5).any(0))
    assert (columns[0], columns[-1]) == pytest.approx((90, 109), abs=1)
