import unicodedata
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.sources.apis.met import MetOptions
from art_pipeline.sources.datasets.folder import FolderOptions
from art_pipeline.sources.http.client import MuseumClient
from art_pipeline.sources.http.responses import RejectedError, TooLargeError
from art_pipeline.sources.image_files import FolderImages, open_images

NAME = "Étude/Dürer.jpg"


@pytest.fixture(params=["NFC", "NFD"])
def folder(request, tmp_path):
    file = tmp_path / unicodedata.normalize(request.param, NAME)
    file.parent.mkdir()
    file.write_bytes(b"body")
    return tmp_path


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_is_found_in_either_form_of_its_accents(folder, form):
    with FolderImages(folder) as images:
        assert images.image(unicodedata.normalize(form, NAME), bytes, 4) == b"body"
        assert images.image("Étude/none.jpg", bytes, 4) is None
        assert images.image("Étude", bytes, 4) is None


def test_a_file_that_is_too_large_is_not_read(folder):
    with pytest.raises(TooLargeError):
        FolderImages(folder).image(NAME, pytest.fail, 3)


@given(st.text(max_size=8), st.text(max_size=8))
def test_no_path_leads_out_of_the_folder(tmp_path_factory, before, after):
    images = FolderImages(tmp_path_factory.getbasetemp())
    for path in (f"/{before}", f"{before}/../{after}", "..", "../secret.jpg"):
        with pytest.raises(RejectedError, match="leads out of the data set") as caught:
            images.image(path, bytes, 10)
        assert caught.value.status == "bad_address"


def test_an_image_is_unchanged_while_its_bytes_are(folder):
    row = {"url": NAME, "md5": md5(b"body").hexdigest()}
    images = FolderImages(folder)
    assert images.is_unchanged(row)
    assert not images.is_unchanged({"url": NAME})  # it was missing, or not to be read
    assert not images.is_unchanged(row | {"url": "none.jpg"})
    next(folder.rglob("*.jpg")).write_bytes(b"other")
    assert not images.is_unchanged(row)


def test_a_service_is_asked_and_a_folder_read(tmp_path):
    files = FolderOptions(folder=str(tmp_path))
    assert isinstance(open_images(files), FolderImages)
    with open_images(MetOptions(base_url="sample://museum/v1")) as client:
        assert isinstance(client, MuseumClient)
