"""The files of tests/number_samples hold what their names say."""

import pypdfium2
from PIL import Image

from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "number_samples"


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 100_000


def test_documents_have_the_pages_of_their_names():
    with pypdfium2.PdfDocument(FOLDER / "two-pages.pdf") as document:
        assert len(document) == 2
    with Image.open(FOLDER / "three-pages.tiff") as image:
        assert image.n_frames == 3


def test_the_photograph_is_upright_once_it_is_turned_as_its_note_says():
    import pillow_heif

    heif = pillow_heif.open_heif(FOLDER / "sideways_7350.heic")
    # The number is written along the longer side: 520 × 390 pixels.
    assert heif.size == (520, 390)
    # ISO/IEC 23008-12: the property that turns the stored picture.
    assert b"irot" in (FOLDER / "sideways_7350.heic").read_bytes()
