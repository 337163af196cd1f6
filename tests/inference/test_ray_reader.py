"""Blocks of sources, as an actor of a cluster reads them, without a cluster."""

import os
from pathlib import Path

import pytest
from PIL import Image

from cnn.classifier import Classifier
from cnn.config import InferConfig
from cnn.image_files.decode_pool import open_pool
from cnn.image_files.listing import list_inputs
from cnn.image_files.page_count import expand_sources
from cnn.inference import local_engine
from cnn.inference.layout_outputs import make_schema
from cnn.inference.ray_reader import RayReader, make_blocks
from cnn.inference.row_formats import JsonLinesFormat
from tests.inference.numbers import draw_page


@pytest.mark.parametrize("layout", ["character", "line", "page"])
def test_blocks_have_the_rows_of_the_local_engine(mnist_test, model, tmp_path, layout):
    folder = tmp_path / "scans"
    folder.mkdir()
    first, _ = draw_page(mnist_test, [[[2, 3], [5]], [[8, 9]]])
    second, _ = draw_page(mnist_test, [[[13]]])
    first.save(folder / 'a,"b"\n.tif', save_all=True, append_images=[second])
    second.save(folder / os.fsdecode(b"\xff.png"))
    Image.new("L", (60, 40), 255).save(folder / "white.png")
    (folder / "text.png").write_text("no image")
    config = InferConfig(
        input=folder,
        model=model,
        output=tmp_path / "o.jsonl",
        plot=Path("none"),
        workers=0,
        layout=layout,
        region=("upper=0,0,1,0.5", "1/3, left=0,0.3333333333333333,1,1"),
    )
    local_engine.predict_folder(config)
    files = list_inputs(config.inputs, recursive=True)
    classifier = Classifier.load(model)
    with open_pool(0) as pool:
        sources = expand_sources(files, pool, None, config.regions)
    names = classifier.class_names
    schema = make_schema(
        config, names, JsonLinesFormat, sources.has_pages, has_labels=False
    )
    reader = RayReader(str(folder), classifier, schema, None, config)
    rows = []
    for block in make_blocks(sources, block_size=3):
        rows += reader.read(block)
    expected = (tmp_path / "o.jsonl").read_bytes()
    assert JsonLinesFormat(schema).encode(rows) == expected
