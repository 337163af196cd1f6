"""Files, from the path to the network input."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cnn.preprocessing import pipeline
from tests.preprocessing.drawings import (
    correlation,
    extent,
    preprocess,
    preprocess_path,
    seven,
)


@pytest.mark.parametrize("size", [40, 64, 200, 1000, 3000])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_any_size_shows_the_same(expected, tmp_path, size, ending):
    image = seven().resize((size, size), Image.Resampling.LANCZOS)
    assert correlation(preprocess(image, tmp_path / f"a.{ending}"), expected) > 0.95


def test_of_two_characters_the_larger_is_read_and_the_other_told(expected, tmp_path):
    image = seven()
    ImageDraw.Draw(image).line([(255, 80), (255, 180)], 0, 14)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.98
    result = pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist")
    assert (result.status, result.detail) == ("ok", "several marks: read the largest")
    seven().save(tmp_path / "a.png")
    assert pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").detail == ""


def test_emnist_is_fitted_to_24_pixels_and_resize_keeps_the_image(tmp_path):
    seven().save(tmp_path / "a.png")
    height, _ = extent(preprocess_path(tmp_path / "a.png", "emnist"))
    assert height in (24, 25)
    whole = preprocess_path(tmp_path / "a.png", "resize")
    expected = np.asarray(seven().resize((28, 28), Image.Resampling.LANCZOS)) / 255
    np.testing.assert_allclose(whole, expected, atol=0.05)


def test_an_overlay_shows_the_image_upright_and_the_mask_of_its_ink(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    page = Image.new("RGB", (600, 1000), "white")
    page.paste(seven().resize((140, 140)), (400, 60))
    page.transpose(Image.Transpose.ROTATE_90).save(
        tmp_path / "a.jpg", exif=exif, quality=95
    )
    overlay = pipeline.explain(tmp_path / "a.jpg")
    assert overlay.original.shape == (400, 240, 3)
    assert overlay.mask.shape == (400, 240)
    rows, columns = (np.flatnonzero((overlay.mask > 0.2).any(axis)) for axis in (1, 0))
    # The strokes are from (50 - 4, 30 - 4) to (90, 110 + 4) of 140 pixels, pasted at
    # (400, 60), and reduced to 0.4.
    box = np.array([columns[0], columns[-1], rows[0], rows[-1]])
    assert np.abs(box - [180, 197, 34, 70]).max() <= 3


def test_an_overlay_has_no_mask_of_a_missing_candidate(tmp_path):
    seven().save(tmp_path / "a.png")
    assert pipeline.explain(tmp_path / "a.png").mask.any()
    assert not pipeline.explain(tmp_path / "a.png", candidate=9).mask.any()
    assert not pipeline.explain(tmp_path / "a.png", "resize").mask.any()


def test_the_overlay_of_an_upright_candidate_is_that_of_the_slanted_one(tmp_path):
    image = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(image).line([(80, 20), (20, 80)], fill=0, width=6)
    image.save(tmp_path / "a.png")
    candidates = pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist").candidates
    assert len(candidates) == 2
    slanted, upright = (
        pipeline.explain(tmp_path / "a.png", candidate=i).mask for i in range(2)
    )
    assert slanted.any()
    np.testing.assert_array_equal(slanted, upright)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_image_of_any_shape_gives_a_candidate_or_is_blank(tmp_path_factory, data):
    height, width = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    mode = data.draw(st.sampled_from(["1", "L", "RGB", "RGBA", "LA", "P", "I;16"]))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    pixels = draw.integers(
        0, data.draw(st.integers(1, 256)), (height, width, 4), np.uint8
    )
    if mode == "RGBA":
        image = Image.fromarray(pixels, "RGBA")
    else:
        image = Image.fromarray(pixels[..., 0]).convert(mode)
    candidate = preprocess(image, tmp_path_factory.mktemp("any") / "a.png")
    assert np.isfinite(candidate).all()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"]), st.data())
def test_a_mutated_file_gives_candidates_or_a_reason(tmp_path_factory, kind, data):
    content = io.BytesIO()
    seven(56, (20, 12, 36, 44), 4).save(content, kind)
    mutated = bytearray(content.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path = tmp_path_factory.mktemp("mutated") / "a"
    path.write_bytes(mutated)
    result = pipeline.preprocess_file(str(path), "mnist")
    assert (result.candidates is None) == (result.status != "ok")
    assert result.status == "ok" or result.detail


def save_all(folder, images):
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return [str(folder / f"{name}.png") for name in images]


def test_files_are_preprocessed_together_as_alone(digits, tmp_path):
    images = {str(i): pixels for i, pixels in enumerate(digits[:40])}
    images |= {"wide": digits[0][2:-2], "blank": np.zeros_like(digits[0])}
    paths = save_all(tmp_path, images)
    (tmp_path / "text.png").write_text("no image")
    paths.insert(7, str(tmp_path / "text.png"))
    together = pipeline.preprocess_files(paths, "mnist")
    for path, result in zip(paths, together, strict=True):
        alone = pipeline.preprocess_file(path, "mnist")
        assert result[1:3] == alone[1:3]
        assert np.array_equal(result.candidates, alone.candidates)
        assert np.array_equal(result.weights, alone.weights)
    assert [result.status for result in together].count("ok") == 41


@pytest.mark.parametrize("preprocessing", ["mnist", "resize"])
def test_progress_is_reported_by_file_with_opencv_on_one_thread(
    digits, tmp_path, preprocessing
):
    paths = save_all(tmp_path, {str(i): digits[i] for i in range(3)})
    reports = []

    def report(index):
        reports.append((index, cv2.getNumThreads()))

    former_threads = cv2.getNumThreads()
    pipeline.preprocess_files(paths, preprocessing, report)
    assert reports == [(0, 1), (1, 1), (2, 1), (3, 1)]
    assert cv2.getNumThreads() == former_threads


def test_a_blank_file_has_no_candidates(tmp_path):
    Image.new("L", (50, 50), 255).save(tmp_path / "a.png")
    result = pipeline.preprocess_file(str(tmp_path / "a.png"), "mnist")
    assert result == pipeline.PreprocessedFile(None, "blank", "no ink found")
