"""The classes of all image files in a folder."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import ModelError
from art_pipeline.models import predict
from art_pipeline.models.predict import list_files, predict_folder


class ByColour:
    """Predicts by the share of red, green and blue."""

    classes = ("rot", "grün", "blau")
    max_side = 40
    thresholds = None

    def probabilities(self, images):
        sums = np.array([one.reshape(-1, 3).sum(axis=0) + 1.0 for one in images]).reshape(-1, 3)
        return sums / sums.sum(axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path):
    """Two images, one of them in a folder of its own."""
    (tmp_path / "sub").mkdir()
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.png")
    Image.new("RGB", (30, 20), "blue").save(tmp_path / "sub" / "b.jpg")
    return tmp_path


def test_each_image_has_a_row_with_its_relative_path(folder):
    table = predict_folder(ByColour(), folder)
    assert list(table.columns) == ["file", "status", "label", "probability", "p:rot", "p:grün", "p:blau"]
    assert table["file"].tolist() == ["a.png", "sub/b.jpg"]
    assert table["status"].tolist() == ["ok", "ok"]
    assert table["label"].tolist() == ["rot", "blau"]


def test_an_odd_file_is_a_row_with_a_status_and_stops_no_other(folder, monkeypatch):
    Image.effect_noise((30, 20), 99).save(folder / "cut.png")
    os.truncate(folder / "cut.png", 300)
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("notes")
    (folder / "nowhere.png").symlink_to(folder / "not there.png")
    os.mkfifo(folder / "pipe")
    (folder / "large.png").write_bytes(bytes(1000))
    monkeypatch.setattr(predict, "MAX_FILE_BYTES", 999)
    table = predict_folder(ByColour(), folder).set_index("file")
    assert table["status"].to_dict() == {
        "a.png": "ok",
        "cut.png": "truncated",
        "empty.png": "empty",
        "large.png": "too_large",
        "notes.txt": "not_an_image",
        "nowhere.png": "unreadable",
        "pipe": "not_a_file",
        "sub/b.jpg": "ok",
    }
    assert table["label"].dropna().to_dict() == {"a.png": "rot", "sub/b.jpg": "blau"}
    assert table["probability"].notna().sum() == 2


@pytest.mark.parametrize(
    "name", [".hidden.png", "Thumbs.db", "desktop.ini", "__MACOSX/a.png", ".git/a.png", "~$a.png", "Icon\r"]
)
def test_hidden_and_system_files_are_left_out(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes((folder / "a.png").read_bytes())
    assert predict_folder(ByColour(), folder)["file"].tolist() == ["a.png", "sub/b.jpg"]


def test_links_are_followed_and_may_lead_back(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.new("RGB", (9, 9), "lime").save(elsewhere / "c.png")
    (folder / "link").symlink_to(elsewhere)
    (folder / "sub" / "back").symlink_to(folder)
    assert predict_folder(ByColour(), folder)["file"].tolist() == ["a.png", "link/c.png", "sub/b.jpg"]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_linked_folder_is_listed_under_its_own_name_in_any_order_on_disk(folder, monkeypatch, backwards):
    (folder / "before").symlink_to(folder / "sub")
    listed = os.scandir

    def in_order(path):
        return sorted(listed(path), key=lambda entry: entry.name, reverse=backwards)

    monkeypatch.setattr(predict.os, "scandir", in_order)
    assert list_files(folder) == [folder / "a.png", folder / "sub" / "b.jpg"]


def test_a_name_that_is_no_utf_8_is_escaped(folder):
    try:
        (folder / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "a.png").read_bytes())
    except OSError:
        pytest.skip("this disk takes no such name")
    table = predict_folder(ByColour(), folder)
    assert "caf\\xe9.png" in table["file"].tolist()
    table["file"].str.encode("utf-8")


def test_a_folder_that_cannot_be_listed_is_a_row(folder, monkeypatch):
    listed = os.scandir

    def refuse(path):
        if Path(path).name == "sub":
            raise PermissionError(path)
        return listed(path)

    monkeypatch.setattr(predict.os, "scandir", refuse)
    table = predict_folder(ByColour(), folder)
    assert table[["file", "status"]].values.tolist() == [["a.png", "ok"], ["sub", "not_a_file"]]


def test_files_to_skip_have_no_row(folder):
    assert predict_folder(ByColour(), folder, skip=[folder / "a.png"])["file"].tolist() == ["sub/b.jpg"]


def test_a_path_that_is_no_folder_is_named(folder):
    with pytest.raises(ModelError, match=r"nowhere does not exist"):
        list_files(folder / "nowhere")
    with pytest.raises(ModelError, match=r"a\.png is a file"):
        list_files(folder / "a.png")


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / ".hidden").touch()
    with pytest.raises(ModelError, match="There are no files in"):
        predict_folder(ByColour(), tmp_path)


@given(sizes=st.lists(st.integers(0, 60), max_size=12), files=st.integers(1, 5), most=st.integers(1, 100))
@settings(deadline=None)
def test_batches_hold_every_file_once_and_in_order(tmp_path_factory, sizes, files, most):
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / str(number) for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(bytes(size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "BATCH_FILES", files)
        patch.setattr(predict, "BATCH_BYTES", most)
        batches = list(predict.batches_of(paths))
    assert [path for batch in batches for path in batch] == paths
    for batch in batches:
        assert 1 <= len(batch) <= files
        assert sum(path.stat().st_size for path in batch[:-1]) < most


def test_memory_does_not_grow_with_the_number_of_images(tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "cpu_count", lambda: 1)
    monkeypatch.setattr(predict, "BATCH_FILES", 4)
    body = tmp_path / "0.bmp"
    Image.new("RGB", (400, 300), "red").save(body)
    peaks = []
    for number in (20, 60):
        for one in range(number):
            if not (tmp_path / f"{one}.bmp").exists():
                (tmp_path / f"{one}.bmp").write_bytes(body.read_bytes())
        tracemalloc.start()
        predict_folder(ByColour(), tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 5 * 360_000  # 40 more files of 360 kB


def test_how_many_files_there_are_changes_no_prediction(folder):
    alone = predict_folder(ByColour(), folder / "sub")
    among = predict_folder(ByColour(), folder)
    pd.testing.assert_frame_equal(alone.iloc[:, 1:], among.iloc[1:, 1:].reset_index(drop=True))
