"""Takes the pictures out of the body of a request, within limits and in memory."""

import contextlib
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import NamedTuple

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from cnn.image_files.listing import InputFile
from cnn.image_files.natural_sort import natural_key
from cnn.preprocessing.source import Source
from cnn.serving.admission import Ticket
from cnn.serving.errors import RequestError

# Bodies that are too large are received up to this multiple of the limit, and dropped,
# so that their senders read the answer.
_MAX_EXCESS = 4
_NO_FILE = (
    "no picture in the request; send one as the body, or several as the files of "
    "multipart/form-data"
)
# Bytes of a file that is sent to a worker process, since that takes less time than to
# make a file in memory for it. Those of a chunk fit a pipe.
_MAX_SENT_BYTES = 1000
_MULTIPART = "multipart/form-data"
# Endings of names by the first bytes of a body that has no name. A file of several
# pages is known by its ending.
_ENDINGS = (
    (b"%PDF", ".pdf"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"GIF8", ".gif"),
    (b"\xff\xd8", ".jpg"),
    (b"\x89PNG", ".png"),
)


class Upload(NamedTuple):
    """A file of a request.

    Attributes:
      name: as the client calls it. It is repeated in the answer, and opens no file.
      content: its bytes.
    """

    name: str
    content: bytes


class FilesInMemory(NamedTuple):
    """Uploads that worker processes can read.

    Attributes:
      inputs: a path of each, and its name.
      contents: the bytes of small ones by their path, at which there is no file.
    """

    inputs: list[InputFile]
    contents: dict[str, bytes]

    def locate(self, source: Source) -> Source:
        """Adds its content to a source that is small."""
        return source._replace(content=self.contents.get(source.path))


class BodyLimits(NamedTuple):
    """What a request may send.

    Attributes:
      max_bytes: size of the body.
      max_files: number of its files.
    """

    max_bytes: int
    max_files: int


async def receive_uploads(
    request: Request, limits: BodyLimits, ticket: Ticket, name: str
) -> list[Upload]:
    """Receives the files of a request, in natural order of their names.

    Args:
      request: with the files as `multipart/form-data`, or with one file as its body.
      limits: of the body.
      ticket: takes the memory of the body.
      name: of a file that is the body, or empty.

    Raises:
      RequestError: there is no file, or a limit is exceeded.
    """
    body = await receive_body(request, limits, ticket)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    # Any other type is a picture, also that which curl claims by default.
    if content_type.lower() != _MULTIPART:
        if not body and not name:
            raise RequestError(400, _NO_FILE)
        return [Upload(name or _guess_name(body), body)]
    uploads = await _parse_multipart(request.headers, body, limits)
    return sorted(uploads, key=lambda upload: natural_key(upload.name))


async def receive_body(request: Request, limits: BodyLimits, ticket: Ticket) -> bytes:
    """Receives the body of a request.

    Raises:
      RequestError: it is too large, or too much is in memory already.
    """
    _check_headers(request, limits)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size <= limits.max_bytes:
                ticket.take(len(part))
                parts.append(part)
            elif size > _MAX_EXCESS * limits.max_bytes:
                break
    except ClientDisconnect as error:
        raise RequestError(400, "the client has gone") from error
    if size > limits.max_bytes:
        raise _too_large(limits)
    ticket.has_body = True
    return b"".join(parts)


def _check_headers(request: Request, limits: BodyLimits) -> None:
    """Refuses a body that need not be received, before a client is told to send it.

    Raises:
      RequestError: the body will be too large, or is compressed.
    """
    headers = request.headers
    coding = headers.get("content-encoding", "")
    if coding.lower() not in ("", "identity"):
        raise RequestError(
            415, f"content-encoding: expected none, got {coding:.80}; send it as it is"
        )
    excess = 1 if "expect" in headers else _MAX_EXCESS
    if int(headers.get("content-length", 0)) > excess * limits.max_bytes:
        raise _too_large(limits)


def _too_large(limits: BodyLimits) -> RequestError:
    return RequestError(
        413, f"expected at most {limits.max_bytes:,} bytes in a request"
    )


@contextlib.contextmanager
def files_in_memory(uploads: Sequence[Upload]) -> Iterator[FilesInMemory]:
    """Makes files of uploads, until the end of the `with` block.

    Nothing is written to a disk, and no name of a client is used for a path.
    """
    files = FilesInMemory([], {})
    with contextlib.ExitStack() as stack:
        for index, upload in enumerate(uploads):
            if len(upload.content) <= _MAX_SENT_BYTES:
                path = f"upload {index}"
                files.contents[path] = upload.content
            else:
                descriptor = os.memfd_create("upload", os.MFD_CLOEXEC)
                stack.callback(os.close, descriptor)
                _write_all(descriptor, upload.content)
                path = f"/proc/{os.getpid()}/fd/{descriptor}"
            files.inputs.append(InputFile(path, upload.name))
        yield files


class _MemoryParser(MultiPartParser):
    """Starlette's parser, which would write files of more than 1 MB to a disk."""

    spool_max_size = 1 << 40


async def _parse_multipart(
    headers: Headers, body: bytes, limits: BodyLimits
) -> list[Upload]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _MemoryParser(headers, stream(), max_files=limits.max_files)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        status = 413 if "Too many" in error.message else 400
        raise RequestError(
            status, f"multipart/form-data: {error.message.rstrip('.')}"
        ) from error
    uploads = []
    for _, value in form.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
            name = _unescape(value.filename or "") or _guess_name(content)
            uploads.append(Upload(name, content))
    await form.close()
    if not uploads:
        raise RequestError(400, _NO_FILE)
    return uploads


def _unescape(name: str) -> str:
    """Undoes what browsers and curl do to a name in form data, by WHATWG's standard."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _guess_name(content: bytes) -> str:
    """Names a file that has no name by what it seems to be."""
    for start, ending in _ENDINGS:
        if content.startswith(start):
            return "upload" + ending
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "upload.webp"
    if content[4:8] == b"ftyp":
        return "upload.avif" if content[8:12] in (b"avif", b"avis") else "upload.heic"
    return "upload"


def _write_all(descriptor: int, content: bytes) -> None:
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]
