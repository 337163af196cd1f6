"""Files that attack their readers: bombs, loops, wrong sizes, and what is no picture."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image

from tests import pdf_files
from tests.benchmarks.fuzz import sample_break
from tests.broken import break_file

_MEGABYTE = 1 << 20
Rng = np.random.Generator


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _png(width: int, height: int, *chunks: bytes, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), *chunks, _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zeros(num_bytes: int) -> bytes:
    """Compresses zeros, a thousand to one."""
    return zlib.compress(bytes(num_bytes), 9)


def png_of_huge_size(rng: Rng) -> bytes:
    """A header that promises more pixels than any memory holds."""
    sides = (0, 1, 65_535, 1 << 20, (1 << 31) - 1, (1 << 32) - 1)
    width, height = (int(rng.choice(sides)) for _ in range(2))
    return _png(width, height, _chunk(b"IDAT", _zeros(1000)))


def png_bomb(rng: Rng) -> bytes:
    """Pixels of a few kilobytes that are many megabytes."""
    side = int(rng.integers(2000, 6000))
    return _png(side, side, _chunk(b"IDAT", _zeros(side * (side + 1))))


def png_with_long_pixels(rng: Rng) -> bytes:
    """A small picture whose compressed pixels go on for megabytes."""
    size = int(rng.integers(1, 64)) * _MEGABYTE
    return _png(28, 28, _chunk(b"IDAT", _zeros(size)))


def png_with_text_bomb(rng: Rng) -> bytes:
    """A small picture with metadata that are megabytes when inflated."""
    data = _zeros(int(rng.integers(1, 100)) * _MEGABYTE)
    chunks = (
        _chunk(b"zTXt", b"Comment\0\0" + data),
        _chunk(b"iCCP", b"profile\0\0" + data),
        _chunk(b"iTXt", b"Comment\0\1\0\0\0" + data),
    )
    pixels = _chunk(b"IDAT", zlib.compress(bytes(28 * 29)))
    return _png(28, 28, chunks[rng.integers(3)], pixels)


def png_of_many_chunks(rng: Rng) -> bytes:
    """Tens of thousands of empty chunks."""
    kind = bytes(rng.choice([b"IDAT", b"tEXt", b"fcTL", b"abCd"]))
    return _png(28, 28, *[_chunk(kind, b"")] * int(rng.integers(1000, 30_000)))


def tiff_that_loops(rng: Rng) -> bytes:
    """Pages that lead back to themselves, or outside the file."""
    entry = struct.pack("<HHII", 256, 4, 1, int(rng.integers(1 << 32)))
    offset = int(rng.choice([8, 9, 22, 0xFFFFFFF0]))
    directory = struct.pack("<H", 1) + entry + struct.pack("<I", offset)
    return b"II*\0" + struct.pack("<I", 8) + directory


def tiff_of_huge_strips(rng: Rng) -> bytes:
    """A page that claims strips of gigabytes."""
    side = int(rng.integers(1, 20_000))
    count = int(rng.integers(1 << 31))
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1)]
    tags += [(273, 8), (277, 1), (278, side), (279, count)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8) + directory


def gif_of_many_frames(rng: Rng) -> bytes:
    """An animation of a thousand frames."""
    frames = [Image.new("L", (28, 28), i % 256) for i in range(int(rng.integers(1000)))]
    buffer = io.BytesIO()
    first = Image.new("L", (28, 28))
    first.save(buffer, "GIF", save_all=True, append_images=frames)
    return buffer.getvalue()


def pdf_bomb(rng: Rng) -> bytes:
    """A page whose content is inflated twice, to many megabytes."""
    return _pdf(pdf_files.deflated_zeros(int(rng.integers(1, 200)) * _MEGABYTE))


def pdf_of_huge_page(rng: Rng) -> bytes:
    """A page of kilometers, or of no size."""
    boxes = (b"0 0 9999999 9999999", b"0 0 0 0", b"-1 -1 1e30 1e30", b"0 0 1 99999")
    box = boxes[rng.integers(len(boxes))]
    return _pdf(pdf_files.stream(pdf_files.SEVEN), box)


def pdf_that_loops(rng: Rng) -> bytes:
    """A tree of pages that contains itself, with a wrong count."""
    count = int(rng.choice([1, 1000, 1 << 31, -5]))
    pages = b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count %d >>" % count
    return pdf_files.write_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages])


def _pdf(contents: bytes, box: bytes = b"0 0 612 792") -> bytes:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = pdf_files.page(b"4 0 R", box)
    return pdf_files.write_pdf(
        [b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, contents]
    )


def archive(rng: Rng) -> bytes:
    """A ZIP bomb under the name of a picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../digit.png", bytes(int(rng.integers(1, 32)) * _MEGABYTE))
    return buffer.getvalue()


def noise(rng: Rng) -> bytes:
    """Random bytes behind the beginning of a known format."""
    starts = (
        *(b"", b"%PDF-1.7\n", b"II*\0", b"MM\0*", b"GIF89a", b"\xff\xd8\xff\xe0"),
        *(b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"BM", b"P5\n"),
        *(b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif", b"<svg ", b"PK\3\4"),
    )
    return starts[rng.integers(len(starts))] + rng.bytes(int(rng.integers(1, 5000)))


def tall_or_wide(rng: Rng) -> bytes:
    """A picture of one pixel by tens of thousands."""
    size = (1, int(rng.integers(10_000, 60_000)))
    buffer = io.BytesIO()
    Image.new("L", size if rng.random() < 0.5 else size[::-1], 200).save(buffer, "PNG")
    return buffer.getvalue()


HOSTILE_FILES: tuple[Callable[[Rng], bytes], ...] = (
    png_of_huge_size, png_bomb, png_with_long_pixels, png_with_text_bomb,
    png_of_many_chunks, tiff_that_loops, tiff_of_huge_strips, gif_of_many_frames,
    pdf_bomb, pdf_of_huge_page, pdf_that_loops, archive, noise, tall_or_wide,
)  # fmt: skip


def paged_files(digit: np.ndarray) -> list[bytes]:
    """Encodes a digit `uint8 (28, 28)` in the formats that have pages."""
    image = Image.fromarray(digit).resize((120, 120))
    files = [_pdf(pdf_files.deflated(pdf_files.SEVEN))]
    for kind in ("TIFF", "GIF", "WEBP", "PNG"):
        buffer = io.BytesIO()
        image.save(buffer, kind, save_all=True, append_images=[image.rotate(30)])
        files.append(buffer.getvalue())
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "AVIF")
    files.append(buffer.getvalue())
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image.convert("RGB")).save(buffer)
    return [*files, buffer.getvalue()]


def mutate(rng: Rng, files: list[bytes]) -> bytes:
    """Changes one of some files in one to three places."""
    one, other = rng.integers(len(files), size=2).tolist()
    breaks = [sample_break(rng) for _ in range(rng.integers(1, 4))]
    return break_file(files[one], files[other], breaks)
