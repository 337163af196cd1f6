"""The files of the page, which are read once and served by exact names alone."""

import hashlib
from importlib import resources
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"


class PageFile(NamedTuple):
    """A file of the page.

    Attributes:
      content: its bytes.
      media_type: as a header has it.
      tag: changes with the content, so that browsers ask before they use a copy.
    """

    content: bytes
    media_type: str
    tag: str

    def respond(self, request: Request) -> Response:
        """Answers with the file, or says that the browser's copy is right."""
        headers = {"etag": self.tag, "cache-control": "no-cache"}
        # A list of tags, perhaps made weak (W/) by a proxy that compresses.
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def load_page() -> dict[str, PageFile]:
    """Loads all files of the page, by name."""
    files = {}
    for item in resources.files("cnn.serving").joinpath("page").iterdir():
        media_type = _MEDIA_TYPES.get("." + item.name.rpartition(".")[2])
        if media_type is not None:
            content = item.read_bytes()
            digest = hashlib.blake2b(content, digest_size=8).hexdigest()
            files[item.name] = PageFile(content, media_type, f'"{digest}"')
    return files
