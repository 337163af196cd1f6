from pathlib import Path

import pytest

from cnn.infer_config import InferConfig
from cnn.serving.errors import RequestError
from cnn.serving.read_query import parse_query


def test_parses_settings_name_and_preview() -> None:
    query = parse_query("top-k=3&name=a%20b.png&preview=1")
    assert query.config == InferConfig(input=Path(), top_k=3)
    assert query.name == "a b.png"
    assert query.has_preview


def test_queries_that_differ_in_name_alone_share_their_settings() -> None:
    one = parse_query("name=1.png&layout=line")
    other = parse_query("layout=line&name=2.png")
    assert (one.name, other.name) == ("1.png", "2.png")
    assert one.config is other.config


@pytest.mark.parametrize("key", ["name", "preview", "layout"])
def test_refuses_a_parameter_given_twice(key: str) -> None:
    with pytest.raises(RequestError, match=f"^{key}: given twice$"):
        parse_query(f"{key}=line&{key}=line")
