"""Blocks and actors that are lost, on a cluster that is a list of calls."""

from types import SimpleNamespace

import pytest

from cnn.inference.ray_actors import ActorPool


class LostError(Exception):
    pass


class FakeRay:
    """Executes a call when it is waited for, the oldest first."""

    exceptions = SimpleNamespace(RayActorError=LostError)

    def __init__(self, behave):
        self.behave = behave
        self.num_actors = 0
        self.dead = set()
        self.handed_out = []

    def start_actor(self):
        number = self.num_actors
        self.num_actors += 1
        call = lambda *block: (number, *block)  # noqa: E731
        return SimpleNamespace(
            start=SimpleNamespace(remote=lambda: (number, -1, None)),
            work=SimpleNamespace(remote=call),
        )

    def wait(self, calls):
        return [calls[0]], calls[1:]

    def get(self, call):
        number, index, content = call
        if number not in self.dead and self.behave(number, index) == "die":
            self.dead.add(number)
        if number in self.dead:
            raise LostError(f"actor {number}")
        self.handed_out.append((number, index))
        return content


def run(behave, num_blocks=10, size=2):
    ray = FakeRay(behave)
    results = list(ActorPool(ray, ray.start_actor, size).map(range(num_blocks)))
    return ray, results


def test_each_block_has_one_result():
    ray, results = run(lambda *_: None)
    assert sorted(results) == list(range(10))
    assert {number for number, index in ray.handed_out if index >= 0} == {0, 1}
    assert ray.num_actors == 2


@pytest.mark.parametrize("when", [-1, 0, 3, 9])
def test_the_blocks_of_a_lost_actor_are_read_by_others(when):
    ray, results = run(
        lambda number, index: "die" if (number, index) == (0, when) else None
    )
    assert sorted(results) == list(range(10))
    assert ray.num_actors <= 3


def test_all_actors_may_be_lost():
    _, results = run(
        lambda number, index: "die" if number < 2 and index == 2 + number else None
    )
    assert sorted(results) == list(range(10))


def test_a_block_that_kills_actors_is_an_error():
    with pytest.raises(LostError):
        run(lambda _, index: "die" if index == 5 else None)


def test_actors_that_cannot_start_are_an_error():
    with pytest.raises(LostError):
        run(lambda _, index: "die" if index == -1 else None)


def test_without_blocks_there_is_no_result():
    assert run(lambda *_: None, num_blocks=0)[1] == []
