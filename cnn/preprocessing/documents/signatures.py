"""Recognizes PDF and HEIC files by their first bytes."""

# Bytes of a file that tell its format.
SIGNATURE_BYTES = 64
# Bytes at the beginning of a file in which PDF readers look for its header.
PDF_HEADER_BYTES = 1024

_PDF_HEADER = b"%PDF-"
_BLANKS = b"\xef\xbb\xbf\0\t\n\f\r "
# First bytes of pictures, which may name a PDF in their metadata.
_PICTURES = (
    b"\x89PNG", b"\xff\xd8", b"BM", b"GIF8", b"II", b"MM", b"RIFF",
    b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF",
)  # fmt: skip
# Brands of the box `ftyp`: HEVC pictures, pictures of any codec, and AV1 pictures.
_HEVC_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs",
}  # fmt: skip
_ANY_CODEC_BRANDS = {b"mif1", b"msf1", b"mif2", b"miaf", b"heif"}
_AV1_BRANDS = {b"avif", b"avis"}


def is_pdf(start: bytes) -> bool:
    """Tells whether a file is a PDF, whose header may follow other content.

    Args:
      start: the first `PDF_HEADER_BYTES` of a file.
    """
    if start.lstrip(_BLANKS).startswith(_PDF_HEADER):
        return True
    is_picture = start.startswith(_PICTURES) or start[4:8] == b"ftyp"
    return _PDF_HEADER in start and not is_picture


def is_heif(start: bytes) -> bool:
    """Tells whether a file is HEIC or HEIF, and not AVIF.

    Args:
      start: the first `SIGNATURE_BYTES` of a file.
    """
    if start[4:8] != b"ftyp":
        return False
    size = min(int.from_bytes(start[:4], "big"), len(start))
    brands = {start[i : i + 4] for i in range(16, size - 3, 4)}
    major = start[8:12]
    if major in _HEVC_BRANDS:
        return True
    return major in _ANY_CODEC_BRANDS and not brands & _AV1_BRANDS
