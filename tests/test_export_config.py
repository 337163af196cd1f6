"""Settings of `bin/export`: the ending of the file and the format."""

from pathlib import Path

import pytest

from cnn.config import ExportConfig
from cnn.errors import UsageError
from cnn.flags import name_positional, parse_config


@pytest.mark.parametrize("to", ["onnx", "stablehlo", "tflite"])
def test_the_ending_tells_the_format(to):
    assert ExportConfig(Path(f"a.b/c.{to}")).format == to
    assert ExportConfig(Path(f"C.{to.upper()}"), to=to).format == to
    for name in ("model", "model.v2", "model.bin"):
        assert ExportConfig(Path(name), to=to).format == to


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("a.h5", None, "expected the ending .onnx, .stablehlo, .tflite, or --to"),
        ("a", None, "a: expected the ending .onnx, .stablehlo, .tflite, or --to"),
        ("a.h5", "onnx", "a.h5: expected the ending .onnx, got .h5"),
        ("a.tflite", "onnx", "a.tflite: expected the ending .onnx, got .tflite"),
        ("-", "onnx", "--output: -: is stdout; expected a file"),
        ("", None, "--output: expected a path, got an empty text"),
        ("s3://a/b.onnx", None, "--output: s3://a/b.onnx: is not a local path"),
    ],
)
def test_another_ending_is_refused(name, to, words):
    with pytest.raises(UsageError) as error:
        ExportConfig(name, to=to)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "--model m.h5 --to onnx a.onnx",
        "a.onnx --model m.h5 --to onnx",
        "--model=m.h5 a.onnx --to=onnx",
        "--output a.onnx --model m.h5 --to onnx",
        "--model m.h5 --to onnx --output=a.onnx",
    ],
)
def test_the_file_needs_no_flag(line):
    arguments = name_positional(line.split(), "--output")
    config = parse_config("export", ExportConfig, arguments, {})
    assert config == ExportConfig(Path("a.onnx"), "onnx", Path("m.h5"))


@pytest.mark.parametrize(
    "line", ["a.onnx b.onnx", "--output a.onnx b.onnx", "--output=a.onnx b.onnx"]
)
def test_several_files_are_refused(line):
    with pytest.raises(UsageError, match="--output: expected one file, got several"):
        name_positional(line.split(), "--output")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "--output: is missing"),
        ("--too onnx a.onnx", "--too: no such flag; did you mean --to"),
        ("-a.onnx", "-a.onnx: no such flag; a file is ./-a.onnx"),
    ],
)
def test_a_wrong_command_line_is_explained(line, words):
    arguments = name_positional(line.split(), "--output")
    with pytest.raises(UsageError) as error:
        parse_config("export", ExportConfig, arguments, {})
    assert words in str(error.value)
