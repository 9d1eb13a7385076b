"""Uploaded files: what is accepted, and what is stored of it."""

import io

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from PIL import Image
from tests.web.uploads.image_bytes import BAD, GOOD, POLYGLOTS, encoded

from art_pipeline.web.uploads import images
from art_pipeline.web.uploads.images import check_image, longest_side

pytestmark = pytest.mark.django_db
END_OF_JPEG = b"\xff\xd9"


@pytest.mark.parametrize("name", [*GOOD, *POLYGLOTS])
def test_an_image_becomes_a_plain_jpeg_of_its_pixels(name):
    found = check_image((GOOD | POLYGLOTS)[name])
    with Image.open(io.BytesIO(found.body)) as stored:
        assert (stored.format, stored.mode) == ("JPEG", "RGB")
        assert not stored.getexif()
        assert stored.width * found.height == pytest.approx(stored.height * found.width, rel=0.01)
    assert b"script" not in found.body
    assert found.body.index(END_OF_JPEG) == len(found.body) - 2


@pytest.mark.parametrize("name", BAD)
def test_another_file_is_refused_with_the_reason(name):
    body, code = BAD[name]
    with pytest.raises(ValidationError) as error:
        check_image(body)
    assert error.value.code == code


def test_the_same_file_gives_the_same_bytes():
    assert check_image(encoded()).body == check_image(encoded()).body


def test_what_was_stored_is_accepted_again():
    check_image(check_image(encoded()).body)


def test_an_upload_is_as_large_as_the_imported_images(imported):
    assert longest_side() == 64
    with Image.open(io.BytesIO(check_image(encoded(size=(900, 700))).body)) as stored:
        assert max(stored.size) == 64


def test_every_status_of_an_image_has_a_message():
    from art_pipeline.images.decoding import ImageError

    statuses = [one.strip(" `;.,") for one in ImageError.__doc__.split("``")[1::2]]
    assert set(statuses) <= {*images.MESSAGES}


class TestAnyBytes(TestCase):
    @given(
        st.binary(max_size=300)
        | st.builds(lambda cut, more: encoded()[:cut] + more, st.integers(0, 3000), st.binary(max_size=50))
    )
    @example(encoded()[:623] + b"\xff\x02")  # decoded by OpenCV, and not by Pillow
    def test_any_bytes_are_stored_as_a_jpeg_or_refused(self, body):
        try:
            found = check_image(body)
        except ValidationError:
            return
        with Image.open(io.BytesIO(found.body)) as stored:
            assert stored.format == "JPEG"
