import os
import time

import numpy as np
import pyarrow as pa
import pytest

from art_pipeline.common.keras_runtime import ComputeOptions
from art_pipeline.distributed import reading
from art_pipeline.distributed.features import address_of, remote_address
from art_pipeline.distributed.options import FeatureEngineOptions, on_engine
from art_pipeline.distributed.reading import AHEAD, Decoded, in_time, read_images
from art_pipeline.distributed.tasks import INPUT, Work, describe
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.networks.mobilenet_v2 import FrozenMobileNetV2Options
from art_pipeline.features.sift import SiftOptions

STATUSES = ["ok"] * 11 + ["undecodable"] * 2 + ["missing"] + ["ok"] * 26
BLOCKS = {"sift": SiftOptions(), "colours": ColourMomentsOptions()}


def test_images_are_read_in_order_with_the_statuses_of_the_local_engine(images):
    files = [*images.values()]
    found = list(read_images(map(str, files), timeout=60))
    assert [one.status for one in found] == STATUSES
    assert [status for status, _ in ColourMomentsOptions().create().extract(files)] == STATUSES
    assert found[3].digest == found[7].digest != found[4].digest
    assert all((one.pixels is None) == (one.status != "ok") for one in found)


def test_an_image_that_hangs_has_a_status_and_delays_no_other(images, tmp_path):
    os.mkfifo(tmp_path / "hangs.jpg")
    addresses = [str(images[0]), str(tmp_path / "hangs.jpg"), str(images[1])] + [str(images[2])] * (2 * AHEAD)
    began = time.monotonic()
    statuses = [one.status for one in read_images(addresses, timeout=1)]
    assert statuses == ["ok", "timed_out", *["ok"] * (1 + 2 * AHEAD)]
    assert time.monotonic() - began < 60


def test_a_folder_or_a_file_that_cannot_be_read_has_a_status(images, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(path) if path.name == "0.jpg" else IsADirectoryError(path)

    monkeypatch.setattr(reading.Path, "read_bytes", refuse)
    assert [one.status for one in read_images([str(images[0]), str(tmp_path)], timeout=60)] == ["unreadable"] * 2


def test_an_error_is_raised_where_its_image_would_be():
    def read(address):
        if address == "2":
            raise ValueError(address)
        return Decoded(address)

    found = in_time(read, map(str, range(5)), timeout=60)
    assert [next(found).status, next(found).status] == ["0", "1"]
    with pytest.raises(ValueError, match="2"):
        next(found)


def test_nothing_is_read_of_no_images():
    assert list(read_images([], timeout=60)) == []


def test_features_are_those_of_the_extractors_with_one_decoding_for_all(images, monkeypatch):
    decoded = []
    decode = reading.decode_jpeg
    monkeypatch.setattr(reading, "decode_jpeg", lambda body: decoded.append(1) or decode(body))
    work = Work.of(BLOCKS, timeout=60)
    batch = pa.RecordBatch.from_pydict(
        {"key": list(map(str, images)), "address": list(map(str, images.values()))}, schema=INPUT
    )
    (found,) = describe(work, [batch])
    assert found.schema == work.schema
    assert len(decoded) == STATUSES.count("ok") + 1  # and the one that is no image
    for name, options in BLOCKS.items():
        extractor = options.create()
        for row, (status, values) in enumerate(extractor.extract([*images.values()])):
            assert found["status"][row].as_py() == status
            assert found[f"rows:{name}"][row].as_py() == len(values)
            assert found[f"values:{name}"][row].as_py() == values.astype(extractor.dtype).tobytes()


def test_the_local_engine_is_the_extractor_itself_and_the_engine_is_no_part_of_the_configuration():
    options = SiftOptions()
    extractor = options.create()
    assert on_engine(extractor, options, FeatureEngineOptions()) is extractor
    spark = on_engine(extractor, options, FeatureEngineOptions(engine="spark"))
    assert spark.get_config() == extractor.get_config()
    assert (spark.length, spark.dtype, spark.weights) == (128, np.uint8, None)


def test_a_network_takes_its_weights_and_its_set_up_along(tmp_path):
    options = FrozenMobileNetV2Options(image_size=32)
    work = Work.of({"net": options}, 60, ComputeOptions(threads=2), {"net": tmp_path})
    assert ComputeOptions.model_validate_json(work.compute).threads == 2
    assert work.weights == (("net", str(tmp_path)),)


def test_an_image_is_read_from_a_remote_by_its_md5(images):
    assert address_of(images[0], None) == str(images[0])
    remote = "s3://bucket/dvc/"
    assert address_of(images[12], remote) == remote_address("d41d8cd98f00b204e9800998ecf8427e", remote)
    assert address_of(images[3], remote) == address_of(images[7], remote)
    assert address_of(images[13], remote).endswith("/files/md5/mi/ssing")
