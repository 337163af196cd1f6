"""Pages of PDF files: their resolution, their regions, and damaged ones."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.page_region import Region
from cnn.preprocessing.decode import UnreadableImageError
from cnn.preprocessing.documents.page_view import View
from cnn.preprocessing.documents.pdf import MAX_PAGE_PIXELS, MAX_PAGE_SIDE, PdfFile
from tests.pdf_files import (
    deflated,
    encrypted_pdf,
    page,
    sevens_pdf,
    stream,
    write_pdf,
)

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
RESOURCES = b"/Resources << /XObject << /I 5 0 R >> >>"
# A gray image of 100×200 samples.
IMAGE = (
    b"/Type /XObject /Subtype /Image /Width 100 /Height 200"
    b" /ColorSpace /DeviceGray /BitsPerComponent 8"
)


def render(data: bytes, view: View = View()):  # noqa: B008
    document = PdfFile(io.BytesIO(data))
    try:
        return document.render(view)
    finally:
        document.close()


def scan(content: bytes, box: bytes = b"0 0 72 144") -> bytes:
    """A page that draws an image of 100×200 samples by `/I Do`."""
    return write_pdf(
        [
            CATALOG,
            ONE_PAGE,
            page(b"4 0 R", box, RESOURCES),
            stream(content),
            deflated(bytes(100 * 200), IMAGE),
        ]
    )


def ink_box(image: Image.Image) -> tuple[int, int, int, int]:
    dark = np.asarray(image.convert("L")) < 128
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def test_a_drawn_page_has_300_dots_per_inch():
    image, size = render(sevens_pdf())
    assert size == image.size == (300, 600)
    assert image.mode == "L"
    # 18 to 54 points from the left, 36 to 108 from the bottom of 144.
    assert ink_box(image) == (75, 150, 225, 450)


def test_pages_are_counted_and_told_apart():
    document = PdfFile(io.BytesIO(sevens_pdf(3)))
    assert document.num_pages == 3
    tops = [ink_box(document.render(View(page=n)).image)[1] for n in (1, 2, 3)]
    assert tops == [150, 153, 156]


def test_a_rotated_page_is_upright():
    image, size = render(sevens_pdf(entries=b"/Rotate 90"))
    assert size == (600, 300)
    assert ink_box(image) == (150, 75, 450, 225)


def test_a_scan_has_the_pixels_of_its_image():
    drawing = Image.new("L", (240, 330), 255)
    ImageDraw.Draw(drawing).rectangle((40, 50, 79, 99), fill=0)
    buffer = io.BytesIO()
    drawing.save(buffer, "pdf", resolution=123)
    image, size = render(buffer.getvalue())
    assert size == (240, 330)
    difference = np.abs(np.asarray(image, int) - np.asarray(drawing, int))
    assert difference.mean() < 1  # The file holds a JPEG.


def test_an_image_that_is_not_the_whole_page_does_not_decide_its_resolution():
    assert render(scan(b"72 0 0 144 0 0 cm /I Do")).size == (100, 200)
    assert render(scan(b"36 0 0 72 0 0 cm /I Do")).size == (300, 600)


def test_the_finest_of_the_large_images_decides_the_resolution():
    """A coarse background with a fine mask, and a still finer logo."""
    data = write_pdf(
        [
            CATALOG,
            ONE_PAGE,
            page(
                b"4 0 R",
                b"0 0 72 144",
                b"/Resources << /XObject << /I 5 0 R /J 6 0 R >> >>",
            ),
            stream(
                b"q 72 0 0 144 0 0 cm /I Do Q q 72 0 0 144 0 0 cm /J Do Q"
                b" q 7 0 0 14 0 0 cm /J Do Q"
            ),
            deflated(bytes(100 * 200), IMAGE),
            deflated(
                bytes(150 * 300),
                b"/Type /XObject /Subtype /Image /Width 150 /Height 300"
                b" /ColorSpace /DeviceGray /BitsPerComponent 8",
            ),
        ]
    )
    assert render(data).size == (150, 300)


def test_a_coarse_image_below_a_drawing_does_not_make_it_coarse():
    content = b"q 72 0 0 144 0 0 cm /I Do Q 1 g 18 36 36 72 re f"
    assert render(scan(content)).size == (300, 600)


def test_a_scan_within_a_form_has_the_pixels_of_its_image():
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Matrix [72 0 0 144 0 0]"
    data = write_pdf(
        [
            CATALOG,
            ONE_PAGE,
            page(b"4 0 R", b"0 0 72 144", RESOURCES),
            stream(b"/I Do"),
            stream(b"/I Do", form + b"/Resources << /XObject << /I 6 0 R >> >>"),
            deflated(bytes(100 * 200), IMAGE),
        ]
    )
    assert render(data).size == (100, 200)


def test_recognized_text_that_is_not_shown_does_not_change_a_scan():
    data = write_pdf(
        [
            CATALOG,
            ONE_PAGE,
            page(
                b"4 0 R",
                b"0 0 72 144",
                b"/Resources << /XObject << /I 5 0 R >> /Font << /F 6 0 R >> >>",
            ),
            stream(b"q 72 0 0 144 0 0 cm /I Do Q BT 3 Tr /F 9 Tf (12) Tj ET"),
            deflated(bytes(100 * 200), IMAGE),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )
    assert render(data).size == (100, 200)


def test_a_region_is_rendered_at_the_full_resolution():
    region = Region(0.25, 0.5, 1.0, 1.0)
    image, size = render(sevens_pdf(), View(region=region))
    assert size == (300, 600)
    assert image.size == (225, 300)
    # The stem of the 7 is from (26, 36) to (45.25, 72) points here.
    assert ink_box(image) == pytest.approx((33, 0, 114, 150), abs=1)


def test_a_page_is_reduced_to_the_longest_side_that_is_wanted():
    image, size = render(sevens_pdf(), View(max_side=100))
    assert size == (300, 600)
    assert image.size == (50, 100)
    assert ink_box(image) == (13, 25, 37, 75)


def test_colors_are_kept():
    data = write_pdf(
        [
            CATALOG,
            ONE_PAGE,
            page(b"4 0 R", b"0 0 72 72"),
            stream(b"1 0 0 rg 0 0 36 72 re f"),
        ]
    )
    image, _ = render(data)
    assert image.getpixel((10, 10)) == (255, 0, 0)
    assert image.getpixel((290, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    "box", [b"0 0 1000000 1000000", b"0 0 1000000 1", b"0 0 1e30 1e30", b"0 0 0 0"]
)
def test_absurd_pages_have_bounded_sizes(box):
    image, (width, height) = render(sevens_pdf(box=box))
    assert max(width, height) <= MAX_PAGE_SIDE
    assert width * height <= 1.001 * MAX_PAGE_PIXELS
    assert max(image.size) <= 1024


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted_pdf(b"secret"), "encrypted PDF: needs a password"),
        (sevens_pdf()[:300], "damaged PDF: no pages found"),
        (b"%PDF-1.7\n" + bytes(5000), "damaged PDF: no pages found"),
        (
            write_pdf([CATALOG, b"<< /Type /Pages /Kids [2 0 R 2 0 R] >>"]),
            "damaged PDF: no pages found",
        ),
        (
            write_pdf([CATALOG, b"<< /Type /Pages /Count 5 /Kids [2 0 R] >>"]),
            "damaged PDF: page 1 cannot be loaded",
        ),
    ],
)
def test_what_cannot_be_read_says_why(data, reason):
    # The error of the file before it must not be taken for its own.
    with pytest.raises(UnreadableImageError, match="needs a password"):
        render(encrypted_pdf(b"other"))
    with pytest.raises(UnreadableImageError) as error:
        render(data)
    assert str(error.value) == reason


def test_a_pdf_whose_owner_alone_has_a_password_is_read():
    image, _ = render(encrypted_pdf(b""))
    assert ink_box(image) == (75, 150, 225, 450)


def test_a_page_tree_of_20000_levels_has_no_page():
    levels = [
        b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (i + 3) for i in range(20_000)
    ]
    data = write_pdf([CATALOG, *levels, page(b"20003 0 R"), stream(b"")])
    with pytest.raises(UnreadableImageError, match="page 1 cannot be loaded"):
        render(data)


def test_pages_that_the_file_counts_and_does_not_have_are_told():
    pages = b"<< /Type /Pages /Count 3 /Kids [3 0 R] >>"
    data = write_pdf([CATALOG, pages, page(b"4 0 R"), stream(b"0 0 300 300 re f")])
    document = PdfFile(io.BytesIO(data))
    assert document.render(View(page=1)).size == (2550, 3300)
    with pytest.raises(UnreadableImageError, match="page 3 cannot be loaded"):
        document.render(View(page=3))
