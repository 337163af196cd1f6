from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn.data.picture_splits import split_pictures
from cnn.data.pictures import Pictures
from cnn.data.types import DataError
from cnn.preprocessing.preprocessed_file import PreprocessedFile


def make_pictures(counts, in_test=None):
    """Makes so many pictures of each class, and some of each in the folder `test`."""
    names, labels = [], []
    for label, count in enumerate(counts):
        names += [f"{label}/{i}.png" for i in range(count)]
        labels += [label] * count
    for label, count in enumerate(in_test or ()):
        names += [f"test/{label}/{i}.png" for i in range(count)]
        labels += [label] * count
    image = np.zeros((1, 28, 28, 1), np.float32)
    files = tuple(PreprocessedFile(image, "ok", "") for _ in names)
    class_names = tuple(map(str, range(len(counts))))
    return Pictures(
        tuple(names), files, np.array(labels, np.int32), class_names, "mnist"
    )


def counts_of(split):
    return [Counter(part.labels.tolist()) for part in split]


@given(st.lists(st.integers(5, 60), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_every_picture_is_in_one_split_and_every_class_in_all(counts, seed):
    pictures = make_pictures(counts)
    splits = split_pictures(pictures, seed)
    names = [name for part in splits for name in part.names]
    assert sorted(names) == sorted(pictures.names)
    for of_classes in counts_of(splits):
        assert of_classes.keys() == set(range(len(counts)))


def test_a_tenth_of_each_class_is_held_out_twice():
    train, validation, test = counts_of(split_pictures(make_pictures([5, 20, 100]), 0))
    assert (train, validation, test) == (
        {0: 3, 1: 16, 2: 80},
        {0: 1, 1: 2, 2: 10},
        {0: 1, 1: 2, 2: 10},
    )


def test_the_seed_decides():
    pictures = make_pictures([50, 50])
    first, same, other = (split_pictures(pictures, seed).test for seed in (0, 0, 1))
    assert first.names == same.names != other.names


def test_a_folder_test_is_the_test_split():
    pictures = make_pictures([10, 10], in_test=[3, 0])
    train, _, test = split_pictures(pictures, 0)
    assert test.names == ("test/0/0.png", "test/0/1.png", "test/0/2.png")
    assert Counter(train.labels.tolist()) == {0: 9, 1: 9}


def test_a_class_of_fewer_than_five_pictures_is_named():
    with pytest.raises(DataError, match="class 1 has 4 pictures to learn from; expect"):
        split_pictures(make_pictures([5, 4]), 0)
    with pytest.raises(DataError, match=r"class 0 has 1 picture .*1 more class"):
        split_pictures(make_pictures([1, 4, 9]), 0)


def test_pictures_to_test_on_are_not_learned_from():
    with pytest.raises(DataError, match="class 1 has 0 pictures to learn from"):
        split_pictures(make_pictures([5, 0], in_test=[0, 9]), 0)
