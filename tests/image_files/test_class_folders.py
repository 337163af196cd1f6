"""Folders of classes whose name is no file name."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn.image_files.class_folders import from_file_name, to_file_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("7", "7"),
        ("ü ,;\\\n", "ü ,;\\\n"),
        ("/", "%2F"),
        (".", "%2E"),
        ("..", "%2E."),
        (".a.b", "%2Ea.b"),
        ("a/b", "a%2Fb"),
        ("\0", "%00"),
        ("%", "%"),
        ("50%", "50%"),
        ("%2F", "%252F"),
        ("%25", "%2525"),
        ("%41", "%41"),
    ],
)
def test_only_what_is_no_file_name_is_encoded(text, name):
    assert to_file_name(text) == name
    assert from_file_name(name) == text


@settings(deadline=None)  # A busy machine has pauses.
@given(st.text(st.sampled_from("/.%02F5Ea\0"), min_size=1))
def test_any_text_is_a_visible_file_name_and_comes_back(text):
    name = to_file_name(text)
    assert from_file_name(name) == text
    assert name == os.path.basename(name)
    assert not name.startswith(".")
    assert "\0" not in name
