"""Files become pages and regions, and hostile files rows."""

import pytest
from PIL import Image, ImageDraw

from cnn import parallel
from cnn.image_files import decode_pool
from cnn.image_files.listing import InputFiles
from cnn.image_files.page_count import expand_sources
from cnn.page_range import parse_pages
from cnn.page_region import Region
from cnn.preprocessing.source import ReadOptions, Source
from tests.pdf_files import (
    deflated,
    deflated_zeros,
    encrypted_pdf,
    page,
    sevens_pdf,
    write_pdf,
)

REGIONS = (Region(0, 0, 1, 0.5, "upper"), Region(0, 0.5, 1, 1, "lower"))
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"


def bar() -> Image.Image:
    image = Image.new("L", (60, 60), 255)
    ImageDraw.Draw(image).rectangle((28, 10, 33, 49), fill=0)
    return image


def save_pages(path, count):
    bar().save(path, save_all=True, append_images=[bar() for _ in range(count - 1)])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.PDF").write_bytes(sevens_pdf(3))
    save_pages(tmp_path / "b.tif", 2)
    bar().save(tmp_path / "c.tif")
    bar().save(tmp_path / "d.png")
    (tmp_path / "e.pdf").write_bytes(encrypted_pdf(b"secret"))
    return tmp_path


def expand(folder, pages=None, regions=(), workers=0, timeout=30.0):
    names = sorted(path.name for path in folder.iterdir())
    pages = None if pages is None else parse_pages(pages)
    with decode_pool.open_pool(workers, timeout) as pool:
        sources = expand_sources(InputFiles(str(folder), names), pool, pages, regions)
    found = [(file.name, source) for file, source in sources]
    assert len(sources) == len(found)
    assert found == [(file.name, source) for file, source in sources]
    return sources, found


@pytest.mark.parametrize("workers", [0, 2])
def test_every_page_is_a_source(folder, workers):
    sources, found = expand(folder, workers=workers)
    assert sources.has_pages
    assert [(name, source.page) for name, source in found] == [
        ("a.PDF", 1),
        ("a.PDF", 2),
        ("a.PDF", 3),
        ("b.tif", 1),
        ("b.tif", 2),
        ("c.tif", None),
        ("d.png", None),
        ("e.pdf", None),
    ]
    assert all(source.path == str(folder / name) for name, source in found)


def test_pages_are_selected_and_files_without_any_of_them_say_so(folder):
    _, found = expand(folder, "2-")
    assert [(name, source.page, source.failure) for name, source in found] == [
        ("a.PDF", 2, ""),
        ("a.PDF", 3, ""),
        ("b.tif", 2, ""),
        ("c.tif", None, "has 1 page, none of them among --pages 2-"),
        ("d.png", None, "has 1 page, none of them among --pages 2-"),
        # Its own reason is told when it is read.
        ("e.pdf", None, ""),
    ]
    _, found = expand(folder, "4,9")
    assert found[0][1].failure == "has 3 pages, none of them among --pages 4,9"
    assert len(found) == 5


def test_every_region_of_every_page_is_a_source(folder):
    _, found = expand(folder, "1-2", REGIONS)
    names = [(n, s.page, s.region.name if s.region else None) for n, s in found]
    assert names[:4] == [
        ("a.PDF", 1, "upper"),
        ("a.PDF", 1, "lower"),
        ("a.PDF", 2, "upper"),
        ("a.PDF", 2, "lower"),
    ]
    assert len(names) == 2 * (2 + 2 + 1 + 1 + 1)


def test_files_of_one_page_have_no_page_numbers(tmp_path):
    bar().save(tmp_path / "a.tif")
    bar().save(tmp_path / "b.gif")
    save_pages(tmp_path / "c.tif", 2)
    (tmp_path / "c.tif").rename(tmp_path / "c.png")
    sources, found = expand(tmp_path)
    assert not sources.has_pages
    assert [source.page for _, source in found] == [None] * 3
    (tmp_path / "d.pdf").write_bytes(sevens_pdf(1))
    sources, found = expand(tmp_path)
    assert sources.has_pages
    assert found[-1][1].page == 1


def test_hostile_files_have_rows_and_harm_no_neighbor(tmp_path):
    """A stream that fills the memory, forms without end, garbage."""
    form = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F "
    )
    nested = [
        CATALOG,
        ONE_PAGE,
        page(b"4 0 R", entries=b"/Resources << /XObject << /F 5 0 R >> >>"),
        deflated(b"/F Do"),
    ]
    for number in range(6, 18):
        entries = form + b"%d 0 R >> >>" % number
        nested.append(deflated(b"/F Do " * 20, entries))
    nested.append(deflated(b"0 0 9 9 re f", form + b"4 0 R >> >>"))
    bomb = deflated_zeros(1 << 31)
    for name, data in {
        "a.pdf": sevens_pdf(2),
        "b.pdf": write_pdf(nested),
        "c.pdf": sevens_pdf(2),
        "d.pdf": write_pdf([CATALOG, ONE_PAGE, page(b"4 0 R"), bomb]),
        "e.tif": b"II*\0\x08\0\0\0" + b"\xff" * 500,
        "f.heic": b"\0\0\0\x18ftypheic" + bytes(200),
        "g.gif": b"GIF89a" + bytes(100),
        "h.pdf": sevens_pdf(1),
    }.items():
        (tmp_path / name).write_bytes(data)
    names = sorted(path.name for path in tmp_path.iterdir())
    with decode_pool.open_pool(1, timeout=2.0) as pool:
        sources = expand_sources(InputFiles(str(tmp_path), names), pool)
        read = (source for _, source in sources)
        results = list(pool.imap(read, ReadOptions("mnist")))
    statuses = [
        (file.name, source.page, result.status)
        for (file, source), result in zip(sources, results, strict=True)
    ]
    assert statuses == [
        ("a.pdf", 1, "ok"),
        ("a.pdf", 2, "ok"),
        ("b.pdf", 1, "unreadable"),
        ("c.pdf", 1, "ok"),
        ("c.pdf", 2, "ok"),
        ("d.pdf", 1, "unreadable"),
        ("e.tif", None, "unreadable"),
        ("f.heic", None, "unreadable"),
        ("g.gif", None, "unreadable"),
        ("h.pdf", 1, "ok"),
    ]
    details = [result.detail for result in results if result.status == "unreadable"]
    assert details[0] == "took longer than 2 s"
    assert all(details)


def test_the_last_pages_of_10000_are_found_at_once(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(sevens_pdf(10_000))
    _, found = expand(tmp_path)
    assert len(found) == 10_000
    last = [source for _, source in found[-40:]]
    with decode_pool.open_pool(1, timeout=5.0) as pool:
        results = list(pool.imap(last, ReadOptions("mnist")))
    assert [result.status for result in results] == ["ok"] * 40
    assert Source(str(path), 10_000) == last[-1]


def test_a_file_of_pages_has_as_many_processes_as_are_wanted(tmp_path):
    paths = [str(tmp_path / "a.pdf")]
    (tmp_path / "a.pdf").write_bytes(bytes(2_000_000))
    assert decode_pool.count_workers(3, 1, paths) == 3
    assert decode_pool.count_workers(None, 1, paths) == parallel.cpu_count()
    (tmp_path / "a.jpg").write_bytes(bytes(2_000_000))
    paths = [str(tmp_path / "a.jpg")]
    assert decode_pool.count_workers(3, 1, paths) == 1
    assert decode_pool.count_workers(None, 1, paths) == 1
