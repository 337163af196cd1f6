"""Cut files: read where all pixels are there, and never where a part is missing."""

import io
import os
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing import decode, pipeline
from tests.preprocessing.drawings import seven, unreadable_reason

REMARK = "truncated: no pixel is missing"


def page(size=(61, 53), mode="RGB") -> Image.Image:
    """Draws ink that reaches the last pixel, in two colors on white."""
    image = Image.new("RGB", size, "white")
    width, height = size
    draw = ImageDraw.Draw(image)
    draw.line([(width / 3, 5), (width / 2, height - 8)], (20, 30, 90), 5)
    draw.line([(0, height - 1), (width, height - 1)], (90, 30, 20), 3)
    return image.quantize(8) if mode == "P" else image.convert(mode)


def encode(image, kind, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def read(data: bytes) -> tuple[np.ndarray, bool]:
    """Returns the pixels of a file, and whether it was cut."""
    with decode.open_image(io.BytesIO(data)) as (image, completed, *_):
        shown = image.convert("RGBA") if image.mode == "P" else image
        return np.array(shown), completed is not None


FILES = {
    "gray JPEG": encode(page(mode="L"), "JPEG"),
    "JPEG of halved colors": encode(page(), "JPEG"),
    "JPEG of high quality": encode(page(), "JPEG", quality=100, subsampling=0),
    "optimized JPEG": encode(page(), "JPEG", optimize=True),
    "progressive JPEG": encode(page(), "JPEG", progressive=True),
    "CMYK JPEG": encode(page(mode="CMYK"), "JPEG"),
    "JPEG with restarts": encode(page(), "JPEG", restart_marker_blocks=3),
    "progressive JPEG with restarts": encode(
        page((64, 64)), "JPEG", progressive=True, restart_marker_rows=1
    ),
    "PNG": encode(page(), "PNG"),
    "palette PNG": encode(page(mode="P"), "PNG"),
    "16-bit PNG": encode(page(mode="I;16"), "PNG"),
    "GIF": encode(page(mode="P"), "GIF"),
    "BMP": encode(page(), "BMP"),
    "palette BMP": encode(page(mode="P"), "BMP"),
    "WebP": encode(page(), "WEBP"),
    "lossless WebP": encode(page(), "WEBP", lossless=True),
    "TIFF": encode(page(), "TIFF"),
    "palette TIFF": encode(page(mode="P"), "TIFF", compression="tiff_lzw"),
    "TIFF of JPEG": encode(page(), "TIFF", compression="jpeg"),
    "PPM": encode(page(), "PPM"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_of_a_cut_file_is_all_of_it(name):
    data = FILES[name]
    pixels, is_cut = read(data)
    assert not is_cut
    for length in range(len(data) - 70, len(data)):
        try:
            found, _ = read(data[:length])
        except decode.UnreadableImageError:
            continue
        np.testing.assert_array_equal(found, pixels)


def status_and_detail(data: bytes, folder) -> tuple[str, str]:
    (folder / "a").write_bytes(data)
    result = pipeline.preprocess_file(str(folder / "a"), "mnist")
    return result.status, result.detail


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        *((name, 2) for name in FILES if FILES[name].startswith(b"\xff\xd8")),
        ("gray JPEG", 1),  # Half of the end marker.
        ("PNG", 1),
        ("PNG", 12),  # The last chunk.
        ("PNG", 12 + 4),  # And the checksum of the chunk before.
        ("palette PNG", 12 + 4 + 4),  # And that of its content.
        ("GIF", 1),  # The trailer.
        ("GIF", 2),  # And the end of the blocks.
        ("BMP", 1),  # Padding of the last row: 4 · 46 - 3 · 61 = 1 byte.
        ("WebP", 1),
    ],
)
def test_a_file_that_lacks_its_end_only_is_read_and_said_to_be_cut(
    name, missing, tmp_path
):
    whole = status_and_detail(FILES[name], tmp_path)
    assert whole[0] == "ok"
    detail = f"{whole[1]}; {REMARK}" if whole[1] else REMARK
    assert status_and_detail(FILES[name][:-missing], tmp_path) == ("ok", detail)


def test_metadata_behind_the_pixels_may_be_cut(tmp_path):
    data = encode(seven(), "WEBP", exif=b"Exif\0\0" + bytes(300))
    assert status_and_detail(data[:-200], tmp_path) == ("ok", REMARK)


def test_a_later_picture_of_a_cut_gif_is_not_needed(tmp_path):
    pages = [seven(), Image.new("L", (280, 280), 255)]
    data = encode(pages[0], "GIF", save_all=True, append_images=pages[1:])
    status, detail = status_and_detail(data[:-9], tmp_path)
    assert (status, detail[: len(REMARK) + 13]) == ("ok", f"{REMARK}; page 1 of 2")


def test_a_small_gray_png_without_end_is_said_to_be_cut(digits, tmp_path):
    data = encode(Image.fromarray(digits[0]), "PNG")
    assert status_and_detail(data, tmp_path) == ("ok", "")
    assert status_and_detail(data[:-12], tmp_path) == ("ok", REMARK)


def test_a_large_jpeg_without_end_marker_is_read_in_color_if_need_be(tmp_path):
    """Its ink is as light as its paper."""
    image = Image.new("RGB", (1600, 1200), (120, 120, 120))
    image.paste((220, 70, 120), (700, 300, 850, 900))
    data = encode(image, "JPEG", quality=95)
    assert status_and_detail(data[:-2], tmp_path) == ("ok", REMARK)


def test_a_blank_cut_file_says_both(tmp_path):
    data = encode(Image.new("L", (50, 50), 255), "JPEG")
    found = status_and_detail(data[:-2], tmp_path)
    assert found == ("blank", f"no ink found; {REMARK}")


def interlaced_png(pixels: np.ndarray) -> bytes:
    """Encodes `uint8 (8, 8)` by the definition of Adam7."""

    def chunk(kind, body):
        checksum = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + checksum

    passes = [
        pixels[0::8, 0::8],
        pixels[0::8, 4::8],
        pixels[4::8, 0::4],
        pixels[0::4, 2::4],
        pixels[2::4, 0::2],
        pixels[0::2, 1::2],
        pixels[1::2, 0::1],
    ]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part)
    header = (8).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 1])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_an_interlaced_png_needs_its_last_pass():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    data = interlaced_png(pixels)
    for missing, is_cut in ((0, False), (12, True), (20, True)):
        found, was_cut = read(data[: len(data) - missing])
        np.testing.assert_array_equal(found, pixels)
        assert was_cut == is_cut
    with pytest.raises(decode.UnreadableImageError):
        read(data[:-30])


def segment_starts(data: bytes, marker: int) -> list[int]:
    """Finds markers, which do not occur in these files otherwise."""
    pattern = bytes([255, marker])
    return [i for i in range(len(data)) if data.startswith(pattern, i)]


def test_a_progressive_jpeg_needs_all_its_scans(tmp_path):
    data = FILES["progressive JPEG"]
    scans = segment_starts(data, 0xDA)
    assert len(scans) == 10
    for start in scans:
        (tmp_path / "a.jpg").write_bytes(data[:start])
        assert "damaged image" in unreadable_reason(tmp_path / "a.jpg")


def test_a_jpeg_needs_the_data_behind_its_last_restart_marker(tmp_path):
    for name in ("JPEG with restarts", "progressive JPEG with restarts"):
        data = FILES[name]
        last = max(max(segment_starts(data, 0xD0 + i), default=0) for i in range(8))
        for length in (last, last + 1, last + 2):
            (tmp_path / "a.jpg").write_bytes(data[:length])
            assert "damaged image" in unreadable_reason(tmp_path / "a.jpg")


@pytest.mark.parametrize("padding", [b"\0", b"\xff"])
def test_padding_in_place_of_the_end_marker_is_no_data(padding, tmp_path):
    data = FILES["JPEG of halved colors"]
    status = status_and_detail(data[:-2] + 600 * padding, tmp_path)
    assert status == status_and_detail(data[:-2], tmp_path)
    for missing in (40, len(data) // 4):
        (tmp_path / "a.jpg").write_bytes(data[:-missing] + missing * padding)
        assert "damaged image" in unreadable_reason(tmp_path / "a.jpg")


def test_the_data_of_a_white_page_may_end_in_zeros():
    image = Image.new("L", (130, 200), 255)
    ImageDraw.Draw(image).line([(39, 40), (91, 40), (52, 180)], 34, 10)
    data = encode(image, "JPEG", optimize=True)
    assert data.endswith(bytes(4) + b"\xff\xd9")
    pixels, _ = read(data)
    found, is_cut = read(data[:-2])
    assert is_cut
    np.testing.assert_array_equal(found, pixels)


def test_data_behind_the_end_is_no_cut(tmp_path):
    for name in ("JPEG of halved colors", "PNG", "GIF"):
        _, is_cut = read(FILES[name] + os.urandom(50))
        assert not is_cut


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_png_that_goes_on_in_zeros_lacks_pixels(share, tmp_path):
    """As of a download into a file of the full size. Zeros can be decompressed."""
    rng = np.random.default_rng(0)
    pixels = np.asarray(page((200, 150), "L")) - rng.integers(0, 9, (150, 200))
    data = encode(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), "PNG")
    kept = int(share * len(data))
    damaged = data[:kept].ljust(len(data), b"\0")
    status, _ = status_and_detail(damaged, tmp_path)
    assert status == "unreadable"
