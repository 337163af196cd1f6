"""Requests with hostile names, parameters and forms, around any content."""

from urllib.parse import quote

import numpy as np

from tests.benchmarks.http_client import make_request

Rng = np.random.Generator
_NAMES = (
    "../../../../tmp/escaped.png", "/etc/passwd", "..\\..\\escaped.png", "a\0b.png",
    "C:\\escaped.png", "CON", ".", "..", "", " ", "~/.bashrc", "$(touch escaped).png",
    "x" * 1900 + ".png", "\u202egnp.exe", "%2e%2e%2fescaped.png", "a\r\nb: c.png",
    '"; filename="other.png', "file:///etc/passwd", "s3://bucket/x.png", "|id", "é.png",
    "/proc/self/mem", "a.pdf", "a.tif", "a.gif", "<script>alert(1)</script>.png",
)  # fmt: skip
_QUERIES = (
    "", "", "layout=line", "layout=page", "preview=1", "preview=1&layout=page",
    "format=csv", "format=parquet", "probabilities=true", "boxes=true&layout=line",
    "top-k=10", "top-k=99999999999999999999", "unsure-below=nan", "unsure-below=1e999",
    "pages=1-99999999999", "pages=2", "pages=-", "region=0,0,10,10", "region=a:9,9,0,0",
    "region=0,0,1e30,1e30", "length=99999", "length=-1", "classes=0-9", "classes=z",
    "layout=line&pattern=" + quote("(((((a+)+)+)+)+)+$"), "pattern=" + "%5B" * 500,
    "layout=line&length=4", "output=/tmp/escaped.csv", "model=/etc/passwd", "resume=1",
    "layout=page&region=" + "&region=".join(["0,0,50%25,50%25"] * 50),
    "name=a&name=b", "a" * 3000, "&".join(["x=y"] * 2000), "preview=maybe", "=&=&;",
    "ray-address=auto&engine=ray", "workers=1000", "%ff=%fe", "layout=line&separators=.",
)  # fmt: skip
_BOUNDARY = b"----boundary"
_DISPOSITION = b'content-disposition: form-data; name="files"'


def hostile_request(rng: Rng, content: bytes) -> bytes:
    """Makes a complete request with a content, a hostile name, query or form."""
    makers = (_raw, _form, _broken_form, _broken_form)
    return makers[rng.integers(len(makers))](rng, content)


def any_request(rng: Rng, content: bytes) -> bytes:
    """Makes a usual request with a content: as the body, or in a form."""
    query = ("", "", "", "layout=line", "layout=page", "preview=1")[rng.integers(6)]
    if rng.random() < 0.7:
        return make_request(content, f"/read?{query}")
    body = _part(_DISPOSITION + b'; filename="a.png"', content) + _end()
    return _multipart(body, f"/read?{query}")


def _raw(rng: Rng, content: bytes) -> bytes:
    query = _QUERIES[rng.integers(len(_QUERIES))]
    name = _NAMES[rng.integers(len(_NAMES))]
    target = (
        f"/read?{query}&name={quote(name)}" if query else f"/read?name={quote(name)}"
    )
    return make_request(content, target)


def _form(rng: Rng, content: bytes) -> bytes:
    """Puts several files with hostile names in a form."""
    parts = []
    for _ in range(rng.integers(1, 5)):
        name = _NAMES[rng.integers(len(_NAMES))].replace("\r\n", "%0D%0A")
        line = _DISPOSITION + b'; filename="' + name.encode() + b'"'
        parts.append(_part(line, content))
    query = _QUERIES[rng.integers(len(_QUERIES))]
    return _multipart(b"".join(parts) + _end(), f"/read?{query}")


def _broken_form(rng: Rng, content: bytes) -> bytes:
    """Makes a form that is cut, floods, or lacks what it needs."""
    named = _DISPOSITION + b'; filename="a.png"'
    good = _part(named, content)
    bodies = (
        good, good[:-50] + _end(), _end(), b"", b"--", _end() + good, content,
        _part(b"x: y", content) + _end(), _part(b"", content) + _end(),
        _part(named + b"\r\nx: " + b"y" * 100_000, content) + _end(),
        _part(named, b"") * 2000 + _end(), _part(_DISPOSITION, content) + _end(),
        _part(_DISPOSITION, b"x" * 2_000_000) + _end(), good * 101 + _end(),
        _part(b'content-disposition: form-data; name="' + content[:99], b"") + _end(),
        _part(named + b"\r\ncontent-transfer-encoding: base64", b"AAAA") + _end(),
        _part(_DISPOSITION + b"; filename*=utf-8''%ff%00.png", content) + _end(),
        _part(named + b"\r\na: b" * 5000, content) + _end(),
    )  # fmt: skip
    types = (
        "multipart/form-data; boundary=" + _BOUNDARY.decode(), "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary=" + "b" * 5000, "Multipart/Form-Data;;;=;",
        "multipart/form-data; charset=zz; boundary=" + _BOUNDARY.decode(),
        "multipart/mixed; boundary=" + _BOUNDARY.decode(), "application/json",
        "application/x-www-form-urlencoded", "text/html; charset=utf-7", "",
    )  # fmt: skip
    body = bodies[rng.integers(len(bodies))]
    kind = types[0] if rng.random() < 0.6 else types[rng.integers(len(types))]
    path = ("/read", "/read", "/read?preview=1", "/table", "/corrections?class=7")
    return _multipart(body, path[rng.integers(len(path))], kind)


def _part(lines: bytes, content: bytes) -> bytes:
    return b"--" + _BOUNDARY + b"\r\n" + lines + b"\r\n\r\n" + content + b"\r\n"


def _end() -> bytes:
    return b"--" + _BOUNDARY + b"--\r\n"


def _multipart(body: bytes, target: str, kind: str | None = None) -> bytes:
    kind = kind or "multipart/form-data; boundary=" + _BOUNDARY.decode()
    request = make_request(body, target, headers="content-type: TYPE\r\n")
    return request.replace(b"TYPE", kind.encode("latin-1"), 1)
