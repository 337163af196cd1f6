"""Expands files into what is read at a time: pages, and regions of them.

The pages are counted by the processes of the decode pool, which a hostile file may
kill.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from cnn.image_files.decode_pool import DecodePool
from cnn.image_files.listing import InputFile, InputFiles, locate
from cnn.page_range import PageRange
from cnn.page_region import Region
from cnn.preprocessing.documents.page_remark import may_have_pages
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import CountOptions, Source

_PDF_SUFFIX = ".pdf"

Files = InputFiles | Sequence[InputFile]


class Sources:
    """What is read of each file, in the order of the files.

    Attributes:
      has_pages: whether a file has several pages, or is a PDF by its name, so that rows
        tell the page.
    """

    def __init__(
        self,
        files: Files,
        num_pages: dict[int, int],
        failed: set[int],
        pages: PageRange | None,
        regions: tuple[Region, ...],
        has_pages: bool,
    ) -> None:
        """Takes the files and their numbers of pages; see `expand_sources`.

        Args:
          files: the files.
          num_pages: number of pages of each PDF, and of each other file that has
            several, by the index of the file.
          failed: indices of the files whose pages could not be counted.
          pages: the pages to read. None stands for all.
          regions: the regions to read of each page. Without any, the whole page.
          has_pages: as the attribute.
        """
        self.has_pages = has_pages
        self._files = files
        self._num_pages = num_pages
        self._failed = failed
        self._pages = pages
        self._regions = regions
        # Whether a file of one page is one source, as most are.
        self._is_whole = pages is None and not regions

    def __len__(self) -> int:
        special = self._num_pages.keys() | self._failed
        num_sources = sum(self._count_sources(index) for index in special)
        others = len(self._files) - len(special)
        # All files of one page are alike.
        return num_sources + others * self._count_sources(-1)

    def __iter__(self) -> Iterator[tuple[InputFile, Source]]:
        for index, file in enumerate(self._files):
            for source in self._expand(index, file.path):
                yield file, source

    def _count_sources(self, index: int) -> int:
        selected = self._select(index)
        return len(selected) * max(1, len(self._regions)) if selected else 1

    def _select(self, index: int) -> list[int] | range:
        """Returns the pages to read of a file, by its index; -1 is any other file."""
        num_pages = self._num_pages.get(index, 1)
        if self._pages is None or index in self._failed:
            return range(1, num_pages + 1)
        return self._pages.select(num_pages)

    def _expand(self, index: int, path: str) -> Iterable[Source]:
        if self._is_whole and index not in self._num_pages:
            return (Source(path),)
        return self._expand_pages(index, path)

    def _expand_pages(self, index: int, path: str) -> Iterator[Source]:
        selected = self._select(index)
        if not selected:
            assert self._pages is not None
            yield Source(path, failure=self._describe_missing(index, self._pages))
            return
        regions = self._regions or (None,)
        for page, region in itertools.product(selected, regions):
            yield Source(path, page if index in self._num_pages else None, region)

    def _describe_missing(self, index: int, pages: PageRange) -> str:
        num_pages = self._num_pages.get(index, 1)
        noun = "page" if num_pages == 1 else "pages"
        return f"has {num_pages:,} {noun}, none of them among --pages {pages.text}"


def expand_sources(
    files: InputFiles,
    pool: DecodePool,
    pages: PageRange | None = None,
    regions: tuple[Region, ...] = (),
) -> Sources:
    """Expands files into their pages and regions.

    Args:
      files: the files. The pages of those are counted whose names say that they may
        have several.
      pool: counts the pages.
      pages: the pages to read of each file. None stands for all.
      regions: the regions to read of each page. Without any, the whole page.

    Returns:
      The sources, which can be iterated repeatedly. A file whose pages cannot be
      counted is one source, which names no page.
    """
    # Of a million files, a look at the names in order takes ten seconds.
    if not any(map(may_have_pages, files.names.in_any_order())):
        return make_sources(files, (), pages, regions)
    # Index and name of the files that the pool has taken, and not counted yet.
    pending: deque[tuple[int, str]] = deque()

    def take_sources() -> Iterator[Source]:
        for index, name in enumerate(files.names):
            if may_have_pages(name):
                pending.append((index, name))
                (file,) = locate(files.top, [name])
                yield Source(file.path)

    counted = pool.imap(take_sources(), CountOptions())
    counts = ((*pending.popleft(), result) for result in counted)
    return make_sources(files, counts, pages, regions)


def make_sources(
    files: Files,
    counts: Iterable[tuple[int, str, PreprocessedFile]],
    pages: PageRange | None,
    regions: tuple[Region, ...],
) -> Sources:
    """Expands files whose pages were counted.

    Args:
      files: as for `expand_sources`, like `pages` and `regions`.
      counts: index and name of each file that may have several pages, and the result
        of counting them.
      pages: the pages to read of each file.
      regions: the regions to read of each page.
    """
    num_pages: dict[int, int] = {}
    failed: set[int] = set()
    has_pdf = False
    for index, name, result in counts:
        is_pdf = name.lower().endswith(_PDF_SUFFIX)
        has_pdf = has_pdf or is_pdf
        if result.status != "ok":
            failed.add(index)
        elif result.num_pages > 1 or is_pdf:
            num_pages[index] = result.num_pages
    has_pages = has_pdf or any(count > 1 for count in num_pages.values())
    return Sources(files, num_pages, failed, pages, regions, has_pages)
