import asyncio
from collections.abc import Sequence

import pytest

from cnn.serving.micro_batches import MicroBatcher


class Doubler:
    """Doubles numbers, and remembers how many it had at a time."""

    def __init__(self, expects_more: bool) -> None:
        self.sizes: list[int] = []
        self.batcher = MicroBatcher(self._compute, 64, lambda: expects_more)

    def _compute(self, numbers: Sequence[int]) -> list[int]:
        self.sizes.append(len(numbers))
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]

    def run(self, *groups: Sequence[int]) -> list[int | BaseException]:
        """Doubles groups of numbers, some turns of the event loop apart."""

        async def run() -> list[int | BaseException]:
            tasks = []
            for group in groups:
                tasks += [asyncio.create_task(self.batcher.submit(n)) for n in group]
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            return await asyncio.gather(*tasks, return_exceptions=True)

        try:
            return asyncio.run(run())
        finally:
            self.batcher.close()


def test_works_of_one_moment_are_computed_together() -> None:
    doubler = Doubler(expects_more=False)
    assert doubler.run(range(5)) == [0, 2, 4, 6, 8]
    assert doubler.sizes == [5]


def test_a_call_waits_for_works_that_are_about_to_come() -> None:
    doubler = Doubler(expects_more=True)
    assert doubler.run([1, 2], [3, 4], [5, 6], [7, 8]) == [2, 4, 6, 8, 10, 12, 14, 16]
    assert doubler.sizes == [8]


def test_a_work_is_computed_though_no_other_comes() -> None:
    doubler = Doubler(expects_more=True)
    assert doubler.run([4]) == [8]
    assert doubler.sizes == [1]


def test_an_error_is_that_of_its_own_call_alone() -> None:
    doubler = Doubler(expects_more=False)
    failed, *others = doubler.run([13], [1], [2])
    with pytest.raises(ValueError, match="13"):
        raise failed
    assert others == [2, 4]
