"""Pages of TIFF files and frames of animations; HEIC and AVIF photographs."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageDraw

from cnn.page_region import Region
from cnn.preprocessing.decode import UnreadableImageError, View, open_image
from cnn.preprocessing.documents.counting import count_pages

WIDTH, HEIGHT = 160, 96


def drawing(number: int) -> Image.Image:
    """A black square, the lower the larger its number."""
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    top = 8 + 16 * number
    ImageDraw.Draw(image).rectangle((16, top, 47, top + 15), fill=0)
    return image


def several(file_format: str, count: int = 3, **settings) -> bytes:
    buffer = io.BytesIO()
    images = [drawing(i) for i in range(count)]
    images[0].save(
        buffer, file_format, save_all=True, append_images=images[1:], **settings
    )
    return buffer.getvalue()


def tiff(images: list[Image.Image], kinds: list[int]) -> bytes:
    """A TIFF with directories of the given kinds (NewSubfileType)."""
    buffer = io.BytesIO()
    with_kinds = []
    for image, kind in zip(images, kinds, strict=True):
        image.encoderinfo = {"tiffinfo": {254: kind}}
        with_kinds.append(image)
    images[0].save(
        buffer,
        "TIFF",
        save_all=True,
        append_images=with_kinds[1:],
        tiffinfo={254: kinds[0]},
    )
    return buffer.getvalue()


def heic(image: Image.Image, orientation: int | None = None) -> bytes:
    buffer = io.BytesIO()
    file = pillow_heif.from_pillow(image)
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        file.info["exif"] = exif.tobytes()
    file.save(buffer, quality=95)
    return buffer.getvalue()


def ink_box(data: bytes, view: View = View()) -> tuple[int, ...]:  # noqa: B008
    """Decodes a page; returns left, top, right and bottom of what is dark."""
    with open_image(io.BytesIO(data), view=view) as decoded:
        dark = np.asarray(decoded.image.convert("L")) < 128
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    return (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


@pytest.mark.parametrize("file_format", ["TIFF", "GIF", "WEBP", "PNG", "AVIF", "PDF"])
def test_every_page_of_a_file_is_read(file_format):
    settings = {"lossless": True} if file_format == "WEBP" else {}
    data = several(file_format, **settings)
    assert count_pages(io.BytesIO(data)) == 3
    for page in (3, 1, 2):
        left, top, right, bottom = ink_box(data, View(page))
        assert (left, top) == pytest.approx((16, 16 * page - 8), abs=1)
        assert (right, bottom) == pytest.approx((48, 16 * page + 8), abs=1)
    assert ink_box(data) == ink_box(data, View(1))


def test_frames_of_an_animation_are_composited():
    """The second frame of a GIF holds what changes only."""
    buffer = io.BytesIO()
    both = drawing(3)
    both.paste(0, (16, 8, 48, 24))
    drawing(0).save(
        buffer, "GIF", save_all=True, append_images=[both], disposal=1, optimize=True
    )
    assert ink_box(buffer.getvalue(), View(2)) == (16, 8, 48, 72)


def test_thumbnails_and_masks_of_a_tiff_are_left_out():
    small = drawing(4).resize((WIDTH // 2, HEIGHT // 2))
    images = [drawing(0), small, drawing(1), drawing(2)]
    data = tiff(images, [2, 1, 2, 4])
    assert count_pages(io.BytesIO(data)) == 2
    assert ink_box(data, View(2)) == (16, 24, 48, 40)


def test_a_thumbnail_before_the_page_is_not_read_for_it():
    small = drawing(4).resize((WIDTH // 2, HEIGHT // 2))
    data = tiff([small, drawing(1)], [1, 0])
    assert ink_box(data) == (16, 24, 48, 40)
    with open_image(io.BytesIO(data)) as decoded:
        assert decoded.size == (WIDTH, HEIGHT)
        assert decoded.num_pages == 1


@pytest.mark.parametrize("file_format", ["TIFF", "GIF", "PNG", "HEIC", "PDF"])
def test_a_page_that_is_not_there_is_told(file_format):
    data = heic(drawing(0)) if file_format == "HEIC" else several(file_format, 2)
    with (
        pytest.raises(UnreadableImageError, match=r"has [12] pages?, no page 7"),
        open_image(io.BytesIO(data), view=View(7)),
    ):
        pass


@pytest.mark.parametrize("file_format", ["HEIC", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "box"),
    [
        (1, (16, 8, 48, 24)),
        (3, (WIDTH - 48, HEIGHT - 24, WIDTH - 16, HEIGHT - 8)),
        (6, (HEIGHT - 24, 16, HEIGHT - 8, 48)),
        (8, (8, WIDTH - 48, 24, WIDTH - 16)),
    ],
)
def test_a_photograph_is_turned_upright_once(file_format, orientation, box):
    """Its file says twice how it is turned: as a property, and as EXIF."""
    if file_format == "HEIC":
        data = heic(drawing(0), orientation)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        drawing(0).save(buffer, "AVIF", exif=exif, quality=95)
        data = buffer.getvalue()
    assert (b"irot" in data) == (orientation != 1)
    assert ink_box(data) == pytest.approx(box, abs=1)
    is_turned = orientation in (6, 8)
    with open_image(io.BytesIO(data)) as decoded:
        assert decoded.size == ((HEIGHT, WIDTH) if is_turned else (WIDTH, HEIGHT))


def test_the_primary_picture_of_a_heic_is_its_only_page():
    buffer = io.BytesIO()
    file = pillow_heif.from_pillow(drawing(0))
    file.add_from_pillow(drawing(2))
    file.save(buffer, primary_index=1, quality=95)
    assert count_pages(io.BytesIO(buffer.getvalue())) == 1
    assert ink_box(buffer.getvalue()) == pytest.approx((16, 40, 48, 56), abs=1)


def test_a_damaged_heic_is_told():
    data = heic(drawing(0))
    for end in (60, 200, len(data) - 20):
        with (
            pytest.raises(UnreadableImageError, match="damaged"),
            open_image(io.BytesIO(data[:end])),
        ):
            pass


def test_a_region_is_cropped_before_the_image_is_reduced():
    image = Image.new("L", (4000, 2000), 255)
    ImageDraw.Draw(image).rectangle((2100, 1100, 2199, 1149), fill=0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    view = View(region=Region(0.5, 0.5, 0.75, 1.0), max_side=1024)
    with open_image(io.BytesIO(buffer.getvalue()), view=view) as decoded:
        assert decoded.image.size == (1000, 1000)
        assert decoded.size == (4000, 2000)
    box = ink_box(buffer.getvalue(), view)
    assert box == pytest.approx((100, 100, 200, 150), abs=2)


def test_a_region_is_one_of_the_upright_page():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    drawing(0).save(buffer, "JPEG", exif=exif, quality=95)
    # The square is at (72, 16) of 96×160 pixels.
    view = View(region=Region(0.5, 0.0, 1.0, 0.5))
    assert ink_box(buffer.getvalue(), view) == pytest.approx((24, 16, 40, 48), abs=1)


def test_the_size_is_that_of_the_upright_picture_before_it_is_reduced():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("L", (6001, 3001), 255).save(buffer, "JPEG", exif=exif)
    with open_image(io.BytesIO(buffer.getvalue()), in_color=False) as decoded:
        assert decoded.size == (3001, 6001)
        assert max(decoded.image.size) <= 1024


def test_a_tiff_whose_pages_form_a_loop_is_counted():
    data = bytearray(several("TIFF", 2))
    # The offset of the next directory ends the last one: let it be the first one's.
    position = int.from_bytes(data[4:8], "little")
    for _ in range(2):
        count = int.from_bytes(data[position : position + 2], "little")
        link = position + 2 + 12 * count
        position = int.from_bytes(data[link : link + 4], "little")
    data[link : link + 4] = data[4:8]
    assert count_pages(io.BytesIO(bytes(data))) == 2
    assert ink_box(bytes(data), View(2)) == (16, 24, 48, 40)
