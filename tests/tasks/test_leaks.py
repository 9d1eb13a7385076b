import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.errors import LeakError
from art_pipeline.pipelines.model.nodes import exclude_leaks
from art_pipeline.tasks.leaks import find_leaks
from art_pipeline.tasks.options import TaskOptions

SPLITS = ["train", "validation", "test"]
DROP = TaskOptions(label="style", leaks="drop")
FAR = np.array([0x0F0F << (12 * one) for one in range(4)], np.uint64)  # more than 4 bits from each other


def manifest(splits, groups=None):
    """A manifest of the objects of a mapping from id to split."""
    ids = list(splits)
    return pd.DataFrame({"object_id": ids, "split": list(splits.values()), "group": groups or [""] * len(ids)})


def distinct(*ids):
    """Hashes of images that are not near-duplicates."""
    rng = np.random.default_rng(0)
    return pd.Series(rng.integers(0, 2**63, len(ids)).astype(np.uint64), index=list(ids))


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.integers(1, 30), st.sampled_from(SPLITS), min_size=3),
    st.dictionaries(st.integers(1, 30), st.sampled_from(SPLITS), min_size=1),
)
def test_no_held_out_image_was_seen_by_the_other_task(own, other):
    hashes, task = distinct(*range(1, 31)), manifest(own)
    seen = {"train": (), "validation": ("train",), "test": ("train", "validation")}
    expected = {one for one, split in own.items() if other.get(one) in seen[split]}
    assert set(find_leaks(task, manifest(other), hashes, DROP)) == expected


def test_tasks_of_the_same_split_do_not_leak():
    own = manifest({1: "train", 2: "validation", 3: "test"})
    assert find_leaks(own, own, distinct(1, 2, 3), TaskOptions(label="style")).tolist() == []


def test_near_duplicates_of_seen_images_leak():
    hashes = pd.Series(FAR, index=[1, 2, 3, 4])
    hashes[5] = FAR[3] ^ np.uint64(0b11)  # two bits from the fourth
    own = manifest({1: "train", 4: "test", 2: "test"})
    assert find_leaks(own, manifest({5: "train"}), hashes.astype(np.uint64), DROP).tolist() == [4]
    assert find_leaks(own, manifest({5: "test"}), hashes.astype(np.uint64), DROP).tolist() == []


def test_members_of_a_seen_group_leak():
    own = manifest({1: "train", 2: "test", 3: "test"}, ["Manet", "Monet|Sisley", "Renoir"])
    other = manifest({9: "validation"}, ["Sisley"])
    assert find_leaks(own, other, distinct(1, 2, 3, 9), DROP).tolist() == [2]


def test_refusing_names_the_images_and_the_remedy():
    own, other = manifest({1: "test", 2: "test"}), manifest({1: "train"})
    with pytest.raises(
        LeakError, match=r"^1 validation or test images, such as 1, .* Set split.same_as to that task, or leaks: drop"
    ):
        find_leaks(own, other, distinct(1, 2), TaskOptions(label="style"))


def test_a_split_of_which_nothing_is_left_is_an_error():
    own = manifest({1: "train", 2: "test", 3: "test", 4: "validation"})
    hashes = distinct(1, 2, 3, 4).rename("hash").rename_axis("object_id").reset_index()
    for others, split in (([{2: "train"}, {3: "train"}], "test"), ([{4: "train"}], "validation")):
        with pytest.raises(LeakError, match=f"^Every {split} image is a training image of the tasks"):
            exclude_leaks(hashes, DROP, own, *map(manifest, others))


def test_a_model_gets_the_manifest_without_leaks(caplog):
    own = manifest({1: "train", 2: "test", 3: "test", 4: "validation", 5: "validation"})
    hashes = distinct(1, 2, 3, 4, 5).rename("hash").rename_axis("object_id").reset_index()
    with caplog.at_level("INFO"):
        left = exclude_leaks(hashes, DROP, own, manifest({2: "train"}), manifest({4: "train", 1: "test"}))
    assert left.set_index("object_id")["split"].to_dict() == {1: "train", 3: "test", 5: "validation"}
    assert "Dropped 1 test images and 1 validation images" in caplog.text
