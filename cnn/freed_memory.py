"""Has the allocator keep what is freed, for the next images of the same size."""

import ctypes

# Parameters of mallopt, from malloc.h of the GNU C library.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
# Bytes. Larger arrays, as of photographs, are returned to the system at once. The first
# is the most that the library accepts.
_MAX_KEPT_ARRAY = 32 << 20
_MAX_KEPT = 64 << 20


def keep_freed_memory() -> None:
    """Keeps freed memory in this process.

    By default, each array of a batch is given back to the system when it is freed, and
    cleared page by page when the next is made. Does nothing where there is no GNU C
    library.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MAX_KEPT_ARRAY)
        mallopt(_TRIM_THRESHOLD, _MAX_KEPT)
