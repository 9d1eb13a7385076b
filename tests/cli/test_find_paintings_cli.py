"""``kedro find-paintings``."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from art_pipeline.cli import cli
from art_pipeline.detection.images import sample_images
from art_pipeline.detection.rooms.works import Box

COLUMNS = ["file", "left", "top", "right", "bottom", "score", "corners"]
BOX, FRAME = Box(60, 40, 200, 180), 9  # a side may be on the inner edge of the frame, of 8 pixels


def run(*arguments):
    return CliRunner().invoke(cli, ["find-paintings", *map(str, arguments)])


@pytest.fixture(scope="module")
def wall():
    """A wall of 320 by 240 pixels with a framed work in `BOX`."""
    pixels = np.full((240, 320, 3), (198, 192, 180), np.uint8)
    pixels[BOX.top : BOX.bottom, BOX.left : BOX.right] = (90, 60, 20)
    work = Image.fromarray(sample_images(1, 1)[0]).resize((BOX.width - 16, BOX.height - 16))
    pixels[BOX.top + 8 : BOX.bottom - 8, BOX.left + 8 : BOX.right - 8] = work
    return pixels


@pytest.fixture(scope="module")
def photographs(wall, tmp_path_factory):
    """A folder with a photograph of the wall in several formats, an empty wall, and files that are no photographs."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "old").mkdir()
    image = Image.fromarray(wall)
    image.save(folder / "=colour.png")
    image.convert("L").save(folder / "old" / "grey.jpg", quality=95)
    Image.fromarray(wall.mean(axis=2).astype(np.uint16) * 257).save(folder / "old" / "sixteen.png")
    turned, exif = image.transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a viewer
    turned.save(folder / "turned.jpg", quality=95, exif=exif)
    Image.new("RGB", (300, 200), (190, 190, 185)).save(folder / "empty wall.png")
    (folder / "cut off.jpg").write_bytes((folder / "turned.jpg").read_bytes()[:3000])
    (folder / "notes.txt").write_text("notes")
    (folder / "nothing.jpg").touch()
    return folder


@pytest.fixture(scope="module")
def result(photographs, tmp_path_factory):
    output = tmp_path_factory.mktemp("result") / "new" / "out"
    return run(photographs, "--output", output), output


@pytest.mark.parametrize("name", ["a" * 251 + ".jpg", "\N{CJK UNIFIED IDEOGRAPH-753B}" * 83 + ".jpg"])
def test_a_long_name_of_a_photograph_is_shortened_for_its_crops(wall, tmp_path, name):
    (tmp_path / "in").mkdir()
    Image.fromarray(wall).save(tmp_path / "in" / name)
    ran = run(tmp_path / "in", "--output", tmp_path / "out")
    assert ran.exit_code == 0, ran.output
    assert pd.read_csv(tmp_path / "out" / "paintings.csv")["file"].tolist() == [name]
    (crop,) = (tmp_path / "out" / "crops").iterdir()
    assert crop.name[:60] == name[:60]
    assert crop.name.endswith("-1.jpg")
    assert len(crop.name.encode()) <= 255


def test_a_row_per_painting(result):
    ran, output = result
    assert ran.exit_code == 0, ran.output
    table = pd.read_csv(output / "paintings.csv")
    assert [*table] == COLUMNS
    assert table["file"].tolist() == ["'=colour.png", "old/grey.jpg", "old/sixteen.png", "turned.jpg"]
    for row in table.itertuples():
        assert [row.left, row.top, row.right, row.bottom] == pytest.approx([60, 40, 200, 180], abs=FRAME), row.file
        corners = np.array([point.split(",") for point in row.corners.split()], float)
        assert np.abs(corners - BOX.corners()).max() <= FRAME
        assert 0.5 <= row.score <= 1


def test_a_row_per_file_with_its_status(result):
    ran, output = result
    files = pd.read_csv(output / "files.csv").set_index("file")
    assert files["status"].to_dict() == {
        "'=colour.png": "ok",
        "cut off.jpg": "truncated",
        "empty wall.png": "ok",
        "nothing.jpg": "empty",
        "notes.txt": "not_an_image",
        "old/grey.jpg": "ok",
        "old/sixteen.png": "ok",
        "turned.jpg": "ok",
    }
    assert files.loc["turned.jpg", ["width", "height", "paintings"]].tolist() == [320, 240, 1]
    assert files.loc["empty wall.png", "paintings"] == 0
    assert "4 paintings in 5 photographs." in ran.output
    assert "No painting found in 1: empty wall.png." in ran.output
    assert "Not read, see files.csv: empty 1, not_an_image 1, truncated 1." in ran.output


def test_crops_are_straight_and_the_contact_sheet_shows_every_file(result):
    _, output = result
    crops = sorted(path.relative_to(output / "crops").as_posix() for path in (output / "crops").rglob("*.jpg"))
    assert crops == ["=colour.png-1.jpg", "old/grey.jpg-1.jpg", "old/sixteen.png-1.jpg", "turned.jpg-1.jpg"]
    with Image.open(output / "crops" / "turned.jpg-1.jpg") as crop:
        assert crop.size == pytest.approx((BOX.width, BOX.height), abs=2 * FRAME)
    with Image.open(output / "contact_sheet.jpg") as sheet:
        assert sheet.size[0] == 1600 and sheet.size[1] > 8 * 300
        assert np.asarray(sheet).std() > 10


def test_the_same_photographs_give_the_same_bytes(photographs, result, tmp_path):
    _, output = result
    assert run(photographs, "--output", tmp_path / "again").exit_code == 0
    again = {path.relative_to(tmp_path / "again"): path for path in (tmp_path / "again").rglob("*.*")}
    assert {path.relative_to(output) for path in output.rglob("*.*")} == set(again)
    for name, path in again.items():
        assert path.read_bytes() == (output / name).read_bytes(), name


def test_an_earlier_result_is_replaced_and_not_searched(wall, tmp_path):
    Image.fromarray(wall).save(tmp_path / "wall.png")
    for _ in range(2):
        ran = run(tmp_path, "--output", tmp_path / "out")
        assert "1 painting in 1 photograph." in ran.output


def test_a_folder_with_other_files_is_not_touched(photographs, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear museum")
    ran = run(photographs, "--output", tmp_path)
    assert ran.exit_code == 1 and "holds other files" in ran.output
    ran = run(photographs, "--output", tmp_path / "letter.txt")
    assert ran.exit_code == 1 and "is a file" in ran.output
    assert (tmp_path / "letter.txt").read_text() == "Dear museum"


def test_wrong_paths_are_clear_errors(tmp_path):
    assert "does not exist" in run(tmp_path / "none", "--output", tmp_path / "out").output
    (tmp_path / "empty").mkdir()
    ran = run(tmp_path / "empty", "--output", tmp_path / "out")
    assert ran.exit_code == 1 and "no files" in ran.output and not (tmp_path / "out").exists()


def test_a_model_labels_the_paintings(wall, tmp_path, monkeypatch, save_svm):
    root = Path(__file__).parents[2]
    for name in ("params.yaml", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    shutil.copytree(root / "conf", tmp_path / "conf")
    save_svm(tmp_path / "data" / "06_models" / "bow_svm", ["grün", "rot"] * 6)
    save_svm(tmp_path / "data" / "06_models" / "labels", ["grün", "grün|rot", "rot", ""] * 4, "multilabel")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    Image.fromarray(wall).save(photographs / "wall.png")
    monkeypatch.chdir(tmp_path)
    assert run(photographs, "--output", "out", "--model", "bow_svm").exit_code == 0
    table = pd.read_csv("out/paintings.csv")
    assert [*table] == [*COLUMNS, "label", "probability"]
    assert table["label"].isin(["grün", "rot"]).all() and table["probability"].between(0.3, 1).all()
    assert run(photographs, "--output", "out", "--model", "labels").exit_code == 0
    assert pd.read_csv("out/paintings.csv")["probability"].isna().all()
    ran = run(photographs, "--output", "out", "--model", "bow_svn")
    assert ran.exit_code == 1 and "Did you mean 'bow_svm'?" in ran.output
