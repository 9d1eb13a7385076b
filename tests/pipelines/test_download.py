"""The stage ``download`` on a folder of image files, some of which are odd."""

import io

import pytest
from PIL import Image

from art_pipeline.errors import StorageError
from art_pipeline.pipelines.download import nodes as download
from art_pipeline.pipelines.scrape import nodes as scrape
from art_pipeline.sources.datasets.folder import FolderOptions
from art_pipeline.sources.options import DownloadOptions
from art_pipeline.sources.registry import Sources

USUAL = DownloadOptions()


def encode(kind, **options):
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


FILES = {
    "plain.jpg": encode("JPEG"),
    "comment.gif": encode("GIF", comment=b"x" * 70_000),
    "exif.webp": encode("WEBP", exif=b"Exif\0\0garbage!"),
    "cut.png": encode("PNG")[:-400],
    "damaged.jpg": encode("AVIF").replace(b"av01", b"av99"),
    "page.jpg": b"<!DOCTYPE html>",
    "empty.jpg": b"",
    "printed.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}
STATUSES = {
    "plain.jpg": "ok",
    "comment.gif": "ok",
    "exif.webp": "ok",
    "cut.png": "truncated",
    "damaged.jpg": "undecodable",
    "page.jpg": "not_an_image",
    "empty.jpg": "empty",
    "printed.jpg": "unsupported",
}


@pytest.fixture
def stage(tmp_path):
    """Everything that the stage reads: objects, and the folder of files as they came."""
    for name, body in FILES.items():
        (tmp_path / "data" / "class").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "class" / name).write_bytes(body)
    museum = Sources((FolderOptions(folder=str(tmp_path / "data"), licence="CC0-1.0"),))
    listings, records, images = (tmp_path / name for name in ("listings", "records", "source_images"))
    for folder in (listings, records, images):
        folder.mkdir()
    scrape.list_objects(museum)(listings)
    objects = scrape.tabulate(scrape.select_listed(listings, museum), listings, records, museum)
    download.download_images(objects, museum, USUAL)(images)
    return objects, images, museum


def finish(stage, images):
    objects, source_images, museum = stage
    images.mkdir()
    download.standardise_images(objects, source_images, museum, USUAL)(images)
    table = download.tabulate_images(objects, source_images, images, museum, USUAL)
    assert {int(file.stem) for file in images.iterdir()} == set(table.loc[table["status"] == "ok", "object_id"])
    names = table["url"].str.rpartition("/")[2]
    return dict(zip(names, table["status"], strict=True))


def test_each_file_has_a_status_and_what_is_ok_has_an_image(stage, tmp_path):
    assert finish(stage, tmp_path / "images") == STATUSES


def test_one_that_was_damaged_after_it_was_checked_is_undecodable(stage, tmp_path, caplog):
    (file,) = stage[1].rglob("*.webp")
    file.write_bytes(file.read_bytes()[:-50])
    assert finish(stage, tmp_path / "images") == STATUSES | {"exif.webp": "undecodable"}
    assert f"{file} is skipped, as it cannot be decoded: truncated" in caplog.messages


def test_one_that_was_deleted_after_it_was_checked_is_named(stage, tmp_path):
    (file,) = stage[1].rglob("*.webp")
    file.unlink()
    with pytest.raises(StorageError, match=rf"{file} is missing\. Download it again"):
        finish(stage, tmp_path / "images")


def test_one_that_memory_does_not_suffice_for_is_named_with_what_to_lower(stage, tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(StorageError, match=r"Too little memory to decode .*\. Lower download\.max_megapixels\."):
        finish(stage, tmp_path / "images")
