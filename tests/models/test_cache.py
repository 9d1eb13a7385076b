import pytest

from art_pipeline.models.svm.cache import fingerprint_of, keep_while


def write(text):
    def save(folder):
        assert not any(folder.iterdir())
        (folder / "codebook").write_text(text)

    return save


def test_a_folder_is_kept_while_its_fingerprint_stays(tmp_path):
    for fingerprint, text, expected in (("a", "1", "1"), ("a", "2", "1"), ("b", "3", "3"), ("a", "4", "4")):
        keep_while(fingerprint, write(text))(tmp_path)
        assert (tmp_path / "codebook").read_text() == expected
        assert fingerprint_of(tmp_path) == fingerprint


def test_an_interruption_leaves_nothing_that_would_be_kept(tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    keep_while("a", write("1"))(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        keep_while("b", interrupt)(tmp_path)
    assert not fingerprint_of(tmp_path)
    keep_while("a", write("2"))(tmp_path)
    assert (tmp_path / "codebook").read_text() == "2"
