"""The sources of a run: its files, their pages and the regions of these."""

from collections.abc import Iterator

from cnn.inference.decode_pool import DecodePool
from cnn.inference.listing import InputFile, InputFiles
from cnn.page_range import PageRange
from cnn.page_region import Region
from cnn.preprocessing.source import Source


class Sources:
    """Files, pages and regions, in order."""

    def __init__(self, files: InputFiles, regions: tuple[Region, ...]) -> None:
        """Wraps files of one page each."""
        self._files = files
        self._regions: tuple[Region | None, ...] = regions or (None,)
        self.has_pages = False

    def __len__(self) -> int:
        return len(self._files) * len(self._regions)

    def __iter__(self) -> Iterator[tuple[InputFile, Source]]:
        for file in self._files:
            for region in self._regions:
                yield file, Source(file.path, None, region)


def expand_sources(
    files: InputFiles,
    pool: DecodePool,
    pages: PageRange | None,
    regions: tuple[Region, ...],
) -> Sources:
    """Lists the pages and regions of files."""
    return Sources(files, regions)
