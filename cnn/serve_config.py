"""Settings of `bin/serve`. See `cnn.config`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from cnn.config_schema import Range, check_ranges, resolve_paths


@dataclasses.dataclass(frozen=True)
class ServeConfig:
    """Serves a page to draw on, and reads pictures that are sent over HTTP.

    Stores nothing but corrections, if --corrections is given.
    """

    host: str = "127.0.0.1"
    """Address to listen on. 0.0.0.0 is every address of this machine, so that all of
    its network can use the server."""

    port: Annotated[int, Range(0, 65535)] = 8000
    """Port to listen on, in [0, 65535]. With 0, the system chooses a free one."""

    allow_host: tuple[str, ...] = ()
    """Names by which browsers may call the server, as behind a proxy. IP addresses,
    localhost and the value of --host are always allowed.
    Default: none."""

    model: Path | None = None
    """Model file (.h5, of bin/train or of Keras), the workdir of a training run, or
    digits, the shipped model.
    Default: mnist_model.h5 if there is one, else digits."""

    corrections: Path | None = None
    """Folder in which corrected pictures are kept, as CLASS/NAME.png, for bin/train
    --images.
    Default: none, nothing is kept."""

    workers: Annotated[int | None, Range(1)] = None
    """Processes that decode pictures, at least 1.
    Default: one per core."""

    decode_timeout: Annotated[float, Range(0.001)] = 20.0
    """Seconds a worker may spend on one page, at least 0.001. The page is then reported
    as unreadable."""

    request_timeout: Annotated[float, Range(0.1)] = 60.0
    """Seconds that a request may take to arrive and to be read, at least 0.1."""

    max_megabytes: Annotated[int, Range(1, 1024)] = 64
    """Largest request, in megabytes, in [1, 1024]."""

    max_files: Annotated[int, Range(1, 10_000)] = 100
    """Most files of a request, in [1, 10000]."""

    max_pages: Annotated[int, Range(1, 100_000)] = 500
    """Most pages and regions of a request, in [1, 100000]."""

    max_queue: Annotated[int, Range(1, 100_000)] = 256
    """Requests that may be read or wait at a time, in [1, 100000]. Others are told to
    come back later."""

    def __post_init__(self) -> None:
        check_ranges(self)
        resolve_paths(self)

    @property
    def max_bytes(self) -> int:
        """Largest request, in bytes."""
        return self.max_megabytes * 1_000_000
