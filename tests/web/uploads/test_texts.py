"""Titles and labels that users type."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from art_pipeline.web.uploads.texts import clean_labels, clean_name, clean_text


@given(st.text())
def test_a_clean_text_is_one_line_without_control_characters(text):
    clean = clean_text(text)
    assert clean == clean_text(clean) == clean.strip()
    assert not {unicodedata.category(one) for one in clean} & {"Cc", "Zl", "Zp"}


@pytest.mark.parametrize(
    "text", ["נוף עם נהר", "富嶽三十六景", "🌊 wave", "<script>alert(1)</script>", "a'; DROP TABLE--"]
)
def test_what_can_be_read_is_kept(text):
    assert clean_text(text) == text


def test_a_change_of_direction_is_left_out():
    assert clean_text("gpj.\u202eexe") == "gpj.exe"


def test_ten_thousand_letters_are_too_many():
    with pytest.raises(ValidationError, match=r"10,000 characters.*at most 191"):
        clean_name("x" * 10_000, "The title")


@given(st.lists(st.sampled_from(["Flowers", "Men", " Men ", "", "Women"])))
def test_each_label_once(names):
    labels = clean_labels(";".join(names), several=True)
    assert labels == [*dict.fromkeys(one.strip() for one in names if one.strip())]


def test_a_label_cannot_contain_the_separator():
    with pytest.raises(ValidationError, match=r"cannot contain \|"):
        clean_labels("Flowers|Men", several=True)
