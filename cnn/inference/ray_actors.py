"""Hands blocks to the actors of a Ray cluster, and again if an actor is lost."""

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

# Blocks that an actor holds, so that it need not wait for the next one.
_BLOCKS_PER_ACTOR = 2
# Actors that a block may lose before it is given up.
_MAX_LOSSES = 3


class _Block(NamedTuple):
    """A block and its number, or the start of an actor without a block."""

    position: int
    content: Any


_START = _Block(-1, None)


class ActorPool:
    """Actors that work on blocks.

    An actor for which the cluster has no place yet waits for one, without a block. An
    actor that is lost is replaced, and others read its blocks meanwhile.
    """

    def __init__(self, ray: Any, start_actor: Callable[[], Any], size: int) -> None:
        """Starts actors.

        Args:
          ray: the module, connected to a cluster.
          start_actor: starts an actor with the methods `start`, which returns once it
            is ready, and `work`, which takes the number of a block and the block.
          size: number of actors.
        """
        self._ray = ray
        self._start_actor = start_actor
        self._numbers = itertools.count()
        self._actors: dict[int, Any] = {}
        # Number of blocks of each actor that is ready.
        self._loads: dict[int, int] = {}
        # What each call is about, by its reference: an actor and a block.
        self._calls: dict[Any, tuple[int, _Block]] = {}
        self._returned: deque[_Block] = deque()
        self._losses: Counter[int] = Counter({_START.position: -_MAX_LOSSES * size})
        for _ in range(size):
            self._add_actor()

    def map(self, blocks: Iterable[Any]) -> Iterator[Any]:
        """Yields the result of `work` for each block, in the order of their ends.

        Raises:
          RayError: a block cannot be read, or has lost several actors.
        """
        remaining = itertools.starmap(_Block, enumerate(blocks))
        is_first = True
        while is_first or self._returned or any(self._loads.values()):
            ((reference,), _) = self._ray.wait(list(self._calls))
            number, block = self._calls.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayActorError as error:
                self._lose(number, block, error)
            else:
                if number in self._actors:
                    self._loads[number] = self._loads.get(number, 1) - 1
                if block is not _START:
                    yield result
            is_first = is_first and not self._loads
            self._hand_out(itertools.chain(self._take_returned(), remaining))

    def _add_actor(self) -> None:
        number = next(self._numbers)
        self._actors[number] = self._start_actor()
        self._calls[self._actors[number].start.remote()] = (number, _START)

    def _lose(self, number: int, block: _Block, error: Exception) -> None:
        """Replaces an actor, and takes back a block of it."""
        self._losses[block.position] += 1
        if self._losses[block.position] > _MAX_LOSSES:
            raise error
        if block is not _START:
            self._returned.append(block)
        self._loads.pop(number, None)
        if self._actors.pop(number, None) is not None:
            self._add_actor()

    def _take_returned(self) -> Iterator[_Block]:
        while self._returned:
            yield self._returned.popleft()

    def _hand_out(self, blocks: Iterator[_Block]) -> None:
        """Gives blocks to the actors that are ready, one to each in turn."""
        for load in range(_BLOCKS_PER_ACTOR):
            for number in [n for n, held in self._loads.items() if held == load]:
                block = next(blocks, None)
                if block is None:
                    return
                call = self._actors[number].work.remote(*block)
                self._calls[call] = (number, block)
                self._loads[number] += 1
