import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from art_pipeline.errors import MuseumError
from art_pipeline.sources.names import ID_BITS, comparable, normal, number_of, path_as_text, require_unique, unmangled

NAMES = st.text(st.characters(codec="latin-1", categories=("L", "Zs")), max_size=20)


def mangled(name):
    """As an archive's names come out that is unpacked with the wrong code page."""
    return name.encode().decode("cp437")


@given(NAMES, st.integers(0, 2))
def test_a_mangled_name_comes_out_as_it_was(name, times):
    damaged = unicodedata.normalize("NFD", name)
    for _ in range(times):
        damaged = mangled(damaged)
    assume(unmangled(normal(name)) == normal(name))  # a name may look like a mangled one
    assert unmangled(damaged) == normal(name)


def test_the_names_of_duerer():
    spellings = ["Albrecht_Dürer", "Albrecht_Du\u0308rer", "Albrecht_Du╠êrer", "Albrecht_DuΓòá├¬rer", "albrecht durer"]
    assert {comparable(name) for name in spellings} == {"albrecht durer"}


@given(st.text(max_size=30))
def test_two_forms_of_an_accent_are_two_names(text):
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    numbers = {number_of(form) for form in forms}
    assert len(numbers) == len(forms)
    assert all(0 <= number < 2**ID_BITS for number in numbers)


def test_a_path_that_is_no_utf8_is_text_all_the_same():
    assert path_as_text(os.fsdecode(b"caf\xe9/Zo\xc3\xab.jpg")) == "caf\\xe9/Zoë.jpg"
    assert path_as_text(Path("Zoë.jpg")) == "Zoë.jpg"


def test_a_number_is_the_same_in_every_run():
    assert number_of("Cubism/pablo-picasso_guernica.jpg") == 3911736984573696


def test_two_objects_of_one_number_are_told():
    require_unique([1, 2, 3], "here")
    with pytest.raises(MuseumError, match=r"^here: two objects have the id 2\. Give each its own id"):
        require_unique([1, 2, 3, 2], "here")
