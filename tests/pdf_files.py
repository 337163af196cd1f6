"""Writes PDF files by hand, as ISO 32000 defines them, apart from any library."""

import hashlib
import zlib
from collections.abc import Sequence

# Padding of passwords, ISO 32000-1, 7.6.3.3.
PADDING = bytes.fromhex(
    "28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A"
)
# A 7 from (18, 36) to (54, 108) points.
SEVEN = b"18 108 m 54 108 l 54 100 l 34 36 l 26 36 l 45 100 l 18 100 l f"


def write_pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Writes numbered objects, of which the first is the catalog."""
    data = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(objects) + 1, trailer)
    return data + b"startxref\n%d\n%%%%EOF\n" % start


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Writes a stream without compression."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), entries, data)


def deflated(data: bytes, entries: bytes = b"") -> bytes:
    """Writes a compressed stream."""
    return stream(zlib.compress(data, 9), b"/Filter [/FlateDecode]" + entries)


def deflated_zeros(num_bytes: int) -> bytes:
    """Writes a stream of zeros, compressed twice, in little time and memory."""
    compressor = zlib.compressobj(1)
    block = bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(num_bytes // len(block))]
    once = b"".join([*parts, compressor.flush()])
    return stream(zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]")


def page(
    contents: bytes, box: bytes = b"0 0 612 792", entries: bytes = b"", parent: int = 2
) -> bytes:
    """Writes a page whose content is the object of the given reference."""
    return b"<< /Type /Page /Parent %d 0 R /MediaBox [%b] /Contents %b %b >>" % (
        parent,
        box,
        contents,
        entries,
    )


def sevens_pdf(
    num_pages: int = 1, box: bytes = b"0 0 72 144", entries: bytes = b""
) -> bytes:
    """Writes pages of 1×2 inches with a black 7 on each.

    It is a quarter of an inch from the left, and of a size of 0.5×1 inches. On page n
    it is n - 1 hundredths of an inch lower than on the first, and each 50 pages as there.
    """
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for number in range(num_pages):
        objects.append(stream(b"1 0 0 1 0 %.2f cm %b" % (-0.72 * (number % 50), SEVEN)))
        objects.append(page(b"%d 0 R" % len(objects), box, entries))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (
        num_pages,
        b" ".join(kids),
    )
    return write_pdf(objects)


def encrypted_pdf(user_password: bytes, content: bytes = SEVEN) -> bytes:
    """Writes a page that is encrypted by RC4 with 40 bits, revision 2."""
    identifier = b"0123456789abcdef"
    permissions = (-4).to_bytes(4, "little", signed=True)
    owner_key = hashlib.md5((b"owner" + PADDING)[:32]).digest()[:5]
    padded = (user_password + PADDING)[:32]
    owner = rc4(owner_key, padded)
    key = hashlib.md5(padded + owner + permissions + identifier).digest()[:5]
    user = rc4(key, PADDING)
    # The content is object 4, generation 0.
    object_key = hashlib.md5(key + b"\4\0\0\0\0").digest()[:10]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        page(b"4 0 R", b"0 0 72 144"),
        stream(rc4(object_key, content)),
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >>"
        % (owner.hex().encode(), user.hex().encode()),
    ]
    entry = identifier.hex().encode()
    return write_pdf(objects, b"/Encrypt 5 0 R /ID [<%b> <%b>]" % (entry, entry))


def rc4(key: bytes, data: bytes) -> bytes:
    """Encrypts data by RC4."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
