"""Training images: square, of one size, in colour."""

import numpy as np
import pytest

from art_pipeline.errors import ModelError
from art_pipeline.generate.images import SquareImages, require_usable


def test_images_that_cannot_be_used_have_a_status(tmp_path, write_images, caplog):
    files = write_images(tmp_path, [(20, 30), (40, 20), (8, 20), (20, 90), (20, 20)], grey=[4])
    (tmp_path / "text.png").write_text("no image")
    files += [("text", tmp_path / "text.png"), ("nothing", tmp_path / "nothing.png")]
    with caplog.at_level("WARNING"):
        found = SquareImages.read(files, 16, 2.0)
    assert found.names == ("0", "1")
    assert found.pixels.shape == (2, 16, 16, 3)
    assert found.statuses["status"].tolist() == ["ok", "ok", "too_small", "too_long", "grey", "undecodable", "missing"]
    assert "5 of 7 images are left out: 1 grey, 1 missing, 1 too long, 1 too small, 1 undecodable" in caplog.text


def test_the_centre_is_taken(tmp_path, write_images):
    (name, file), *_ = write_images(tmp_path, [(16, 26)])
    from art_pipeline.images.standardize import read_rgb

    found = SquareImages.read([(name, file)], 16, 2.0)
    assert np.array_equal(found.pixels[0], read_rgb(file)[:, 5:21])


def test_none_is_usable(tmp_path):
    found = SquareImages.read([("0", tmp_path / "0.png")], 16, 2.0)
    assert found.pixels.shape == (0, 16, 16, 3)
    with pytest.raises(ModelError, match="There are 0 usable training images, but a generator needs 16 at least"):
        require_usable(found.pixels, 16)


@pytest.mark.parametrize("pixels", [np.zeros((20, 8, 8, 3), np.uint8), np.zeros((20, 16, 16, 3)), np.zeros((20, 16))])
def test_pixels_of_another_form(pixels):
    with pytest.raises(ModelError, match=r"but \(n, 16, 16, 3\) and uint8 are needed"):
        require_usable(pixels, 16)
