import numpy as np
import pytest

from art_pipeline.sources.sample.canvas import Canvas, Palette, hex_colours
from art_pipeline.sources.sample.catalogue import (
    COPIES,
    LABEL_NOISE,
    TRAPS,
    UNUSABLE,
    departments,
    find_work,
    is_mislabelled,
    object_ids,
    read_table,
)
from art_pipeline.sources.sample.ornaments import ORNAMENTS
from art_pipeline.sources.sample.records import make_record
from art_pipeline.sources.sample.scenes import SCENES


def test_sizes_are_out_of_balance_and_sum_to_more_than_700():
    sizes = [one.size for one in departments().values()]
    assert len(sizes) >= 12
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) >= 700
    assert sum(size < 44 for size in sizes) == 2


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_ten_departments_have_44_usable_images_without_second_photographs(seed, works):
    broken = frozenset().union(*(TRAPS[name] for name in UNUSABLE)) | COPIES.keys()
    usable = dict.fromkeys(departments(), 0)
    for one in works:
        if one not in broken and make_record(seed, find_work(seed, one))["isPublicDomain"]:
            usable[one % 100] += 1
    assert sum(count >= 44 for count in usable.values()) == 10


@pytest.mark.parametrize("department", departments().values(), ids=lambda one: one.code)
def test_what_the_tables_name_exists(department):
    words = read_table("words")
    assert {kind.scene for kind in department.kinds} <= SCENES.keys()
    assert sum(kind.share for kind in department.kinds) == pytest.approx(1)
    assert set(department.style.ornaments) <= ORNAMENTS.keys()
    assert {nation for nation, _ in department.artists} <= words["given_names"].keys()
    assert Canvas((8, 8), np.random.default_rng(0), department.style).soft_noise(2).shape == (8, 8)
    for palette in department.style.palettes:
        assert hex_colours(palette).shape == (len(Palette._fields), 3)


def test_label_noise_comes_in_the_stated_share(works):
    noise = np.mean([is_mislabelled(seed, one) for seed in range(3) for one in works[::3]])
    assert noise == pytest.approx(LABEL_NOISE, abs=0.025)


def test_no_record_tells_of_label_noise(records, plain):
    noisy = next(one for one in plain if is_mislabelled(0, one))
    assert find_work(0, noisy).drawn_as != noisy % 100
    assert records[noisy]["department"] == departments()[noisy % 100].name
    assert records[noisy]["title"].startswith(f"Sample {find_work(0, noisy).kind.scene} No.")


def test_second_photographs_show_works_without_traps():
    trapped = frozenset().union(*TRAPS.values())
    for copy, original in COPIES.items():
        assert not {copy, original} & trapped
        assert find_work(0, copy).original == original
    assert sum(copy % 100 != original % 100 for copy, original in COPIES.items()) == 2


def test_what_is_gone_is_listed_and_has_no_work():
    assert set(object_ids()) >= TRAPS["gone"]
    assert not any(find_work(0, one) for one in TRAPS["gone"])
