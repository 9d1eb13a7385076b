import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from art_pipeline.discovery.audit import table
from art_pipeline.discovery.audit.analysis import write_audit
from art_pipeline.discovery.audit.audit import Inputs, audit
from art_pipeline.discovery.audit.neighbourhood import conflicting_duplicates, distances_from_label
from art_pipeline.discovery.audit.options import AuditOptions
from art_pipeline.discovery.audit.out_of_fold import (
    assign_folds,
    average,
    neighbour_probabilities,
    predict_out_of_fold,
)
from art_pipeline.discovery.audit.photographs import examine, find_non_photographs
from art_pipeline.discovery.audit.probabilities import model_probabilities
from art_pipeline.discovery.audit.suspicion import suspect
from art_pipeline.discovery.audit.works import works_of
from art_pipeline.discovery.nearest import unit_rows
from art_pipeline.errors import DiscoveryError
from art_pipeline.pipelines.audit.kind import AUDIT

CLASSES = ("bowl", "print", "vase")


@pytest.fixture(scope="module")
def clusters():
    """Rows around three centres, and their classes."""
    random = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 40)
    return unit_rows(np.eye(8)[codes] * 3 + random.normal(size=(120, 8))), np.eye(3, dtype=bool)[codes]


def with_errors(labels, places, shift=1):
    changed = labels.copy()
    changed[places] = np.roll(labels[places], shift, axis=1)
    return changed


def test_folds_keep_near_duplicates_together_and_classes_apart(clusters):
    _, labels = clusters
    groups = np.arange(120)
    groups[[3, 50, 90]] = 0
    folds = assign_folds(labels, groups, 4, seed=1)
    assert folds[[0, 3, 50, 90]].tolist() == [folds[0]] * 4
    assert all((labels[folds == one].sum(axis=0) > 5).all() for one in range(4))
    with pytest.raises(DiscoveryError, match="3 images that are not near-duplicates"):
        assign_folds(labels[:3], np.arange(3), 5, seed=0)


def test_no_image_is_predicted_by_a_model_that_was_trained_on_it(clusters):
    rows, labels = clusters
    folds = assign_folds(labels, np.arange(120), 5, seed=0)
    changed = with_errors(labels, [7])
    before, after = (predict_out_of_fold(rows, one, folds, [1.0], multilabel=False) for one in (labels, changed))
    assert np.array_equal(before[folds == folds[7]], after[folds == folds[7]])
    assert not np.array_equal(before, after)
    assert before.sum(axis=1) == pytest.approx(1)


def test_the_strength_with_the_least_loss_is_taken(clusters):
    rows, labels = clusters
    folds = assign_folds(labels, np.arange(120), 5, seed=0)
    both = predict_out_of_fold(rows, labels, folds, [1e-6, 1.0], multilabel=False)
    assert np.array_equal(both, predict_out_of_fold(rows, labels, folds, [1.0], multilabel=False))


def test_a_class_that_a_fold_lacks_has_the_least_probability(clusters):
    rows, labels = clusters
    few = np.concatenate([np.arange(40), [40], np.arange(80, 120)])
    folds = np.arange(81) % 3
    found = predict_out_of_fold(rows[few], labels[few], folds, [1.0], multilabel=False)
    assert found[40, 1] < 1e-3


def test_labels_have_independent_probabilities(clusters):
    rows, labels = clusters
    both = labels | np.roll(labels, 1, axis=1)
    folds = assign_folds(both, np.arange(120), 5, seed=0)
    found = predict_out_of_fold(rows * 10, both, folds, [1.0], multilabel=True)
    assert ((found > 0.5) == both).mean() > 0.9
    assert found.sum(axis=1).max() > 1.5


def test_neighbours_vote_without_near_duplicates(clusters):
    rows, labels = clusters
    found = neighbour_probabilities(rows, labels, np.arange(120), 10)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == labels.argmax(axis=1)).mean() > 0.9
    alone = neighbour_probabilities(unit_rows(np.ones((2, 2))), np.eye(2, dtype=bool), np.zeros(2, int), 3)
    assert alone == pytest.approx(0.5)  # no neighbours: the frequencies of the whole


def test_a_missing_prediction_is_left_to_the_other_models():
    sure, missing = np.array([[0.9, 0.1]]), np.full((1, 2), np.nan)
    assert average([sure, missing], [1, 1], multilabel=False) == pytest.approx(sure)
    assert np.isnan(average([missing], [1], multilabel=False)).all()
    assert average([sure, sure[:, ::-1]], [1, 1], multilabel=True) == pytest.approx(0.5)


@pytest.mark.parametrize("shift", [1, 2])
def test_changed_labels_are_the_most_suspect(clusters, shift):
    rows, labels = clusters
    wrong = np.arange(5, 120, 20)
    changed = with_errors(labels, wrong, shift)
    folds = assign_folds(changed, np.arange(120), 5, seed=0)
    found = suspect(predict_out_of_fold(rows * 3, changed, folds, [1.0], multilabel=False), changed, multilabel=False)
    assert set(np.argsort(-found.score)[: len(wrong)]) == set(wrong)
    assert found.is_suspected[wrong].sum() >= 5
    assert (found.suggested[wrong] == labels[wrong]).all()


def test_missing_and_wrong_labels_of_a_multilabel_task_are_suspect(clusters):
    rows, labels = clusters
    changed = labels.copy()
    changed[3, 0] = False  # a missing label
    changed[50, 0] = True  # a wrong one
    folds = assign_folds(changed, np.arange(120), 5, seed=0)
    found = suspect(predict_out_of_fold(rows * 10, changed, folds, [1.0], multilabel=True), changed, multilabel=True)
    assert set(np.argsort(-found.score)[:2]) == {3, 50}
    assert found.suggested[3].tolist() == [True, False, False]
    assert found.thresholds.shape == (3,)


def test_without_cleanlab_an_audit_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    labels = np.array([[True, False], [False, True]])
    with pytest.raises(DiscoveryError, match=r"pip install .\.\[discovery\]"):
        suspect(np.array([[0.9, 0.1], [0.4, 0.6]]), labels, multilabel=False)


def test_thresholds_are_the_mean_probability_of_a_class():
    labels = np.array([[True, False], [True, False], [False, True]])
    found = suspect(np.array([[0.9, 0.1], [0.5, 0.5], [0.4, 0.6]]), labels, multilabel=False)
    assert found.thresholds == pytest.approx([0.7, 0.6])


def predictions(origin="held_out", classes=CLASSES):
    shares = dict(zip((f"p:{one}" for one in classes), (0.7, 0.2, 0.1), strict=False))
    return pd.DataFrame({"object_id": [1, 2], "label": "vase", "split": "test", "origin": origin, **shares})


def test_only_predictions_of_images_that_a_model_was_not_trained_on_count():
    found = predictions(["held_out", "resubstitution"])
    values = model_probabilities(found, [2, 1, 3], CLASSES, "svm")
    assert np.isnan(values[[0, 2]]).all()
    assert values[1] == pytest.approx([0.7, 0.2, 0.1])
    with pytest.raises(DiscoveryError, match="svm was trained on all images"):
        model_probabilities(predictions("resubstitution"), [1, 2], CLASSES, "svm")
    with pytest.raises(DiscoveryError, match=r"'vase'.*Did you mean 'vases'"):
        model_probabilities(predictions(classes=("bowl", "print", "vases")), [1, 2], CLASSES, "svm")


def test_near_duplicates_with_the_same_label_are_no_finding():
    labels = pd.Series(["vase", "vase", "print"])
    found = conflicting_duplicates([7, 8, 9], labels, np.array([[0, 1], [0, 2], [1, 2]]))
    assert found.to_numpy().tolist() == [[7, 9, "print"], [8, 9, "print"], [9, 7, "vase"]]
    assert conflicting_duplicates([7], pd.Series(["vase"]), np.empty((0, 2), int)).empty


def test_an_outlier_is_far_from_its_own_label(clusters):
    rows, labels = clusters
    changed = with_errors(labels, [5])
    assert distances_from_label(rows, changed, 10)[5] == 1
    assert distances_from_label(rows, labels, 10)[5] < 1
    assert (distances_from_label(rows[:4], np.ones((4, 1), bool), 2) == 0).all()


def chart():
    image = Image.new("RGB", (240, 160), "black")
    draw = ImageDraw.Draw(image)
    for number in range(24):
        left, top = 6 + number % 6 * 39, 4 + number // 6 * 39
        draw.rectangle([left, top, left + 34, top + 34], fill=f"hsl({number * 15}, {90 if number < 18 else 0}%, 50%)")
    return np.asarray(image)


def page():
    random = np.random.default_rng(0)
    image = Image.new("RGB", (200, 280), (245, 243, 238))
    draw = ImageDraw.Draw(image)
    for top in range(20, 260, 10):
        for left in range(20, 180, 6):
            if random.random() < 0.8:
                draw.rectangle([left, top, left + 3, top + 4], fill=(30, 30, 30))
    return np.asarray(image)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [(np.full((90, 120, 3), 250, np.uint8), "blank"), (chart(), "colour_chart"), (page(), "text_page")],
)
def test_images_that_are_no_photograph_are_found(pixels, reason):
    found = examine(pixels)
    assert found[0] == reason
    assert 0 < found[2] <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_photograph_is_no_finding(seed):
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 8, 3), np.uint8)
    assert examine(np.asarray(Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC))) is None


def write_images(folder, pixels):
    for object_id, one in pixels.items():
        Image.fromarray(one).save(folder / f"{object_id}.jpg", quality=95)


def test_the_same_file_of_works_of_several_titles_is_a_placeholder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    write_images(tmp_path, dict.fromkeys([1, 2, 3, 4, 5], noise))
    titles = ["Vase", "Print", "Bowl", "Leaf", "Leaf"]
    found = find_non_photographs([1, 2, 3, 4, 5], tmp_path, ["a", "a", "a", "b", "b"], titles)
    assert found["object_id"].tolist() == [1, 2, 3]
    assert found["evidence"][0] == "the same image file for 3 works of 3 titles"


def findings(ids, reason, evidence, scores, suggested):
    columns = {"reason": reason, "evidence": evidence, "score": scores, "suggested": suggested}
    return pd.DataFrame({"object_id": ids, **columns})


def test_reasons_of_a_record_are_joined_and_ranked_by_the_largest_score():
    works = pd.DataFrame(
        {"title": ["Leaf", "Cup"], "label": ["print", "bowl"]}, index=pd.Index([1, 2], name="object_id")
    )
    one = pd.DataFrame(
        {"object_id": [1, 2], "reason": "outlier", "evidence": "far", "score": [0.2, 0.3], "suggested": ""}
    )
    two = pd.DataFrame(
        {"object_id": [1], "reason": "label", "evidence": "vase 90%", "score": [0.9], "suggested": ["vase"]}
    )
    found = table.rank([one, two], works, 10)
    assert found.to_dict("records")[0] == {
        "object_id": 1, "title": "Leaf", "recorded": "print", "suggested": "vase", "score": 0.9,
        "reasons": "label|outlier", "evidence": "vase 90%; far",
    }  # fmt: skip
    assert table.rank([one, two], works, 1)["object_id"].tolist() == [1]


def test_no_findings_are_an_empty_table():
    works = pd.DataFrame({"title": ["Leaf"], "label": ["print"]}, index=pd.Index([1], name="object_id"))
    empty = table.duplicate_findings(conflicting_duplicates([7], pd.Series(["vase"]), np.empty((0, 2), int)))
    assert table.rank([empty, empty], works, 10).columns.tolist() == list(table.COLUMNS)


class Store:
    """Stored features, without files."""

    blocks = (8,)

    def __init__(self, folder, rows):
        self.folder, self._rows = folder, rows

    def of(self, _ids):
        return self._rows


@pytest.fixture
def inputs(tmp_path, clusters):
    rows, labels = clusters
    changed = with_errors(labels, [5, 45])
    random = np.random.default_rng(0)
    pixels = {one: random.integers(0, 256, (32, 32, 3), np.uint8) for one in range(120)}
    pixels[9] = np.full((32, 32, 3), 200, np.uint8)
    images = tmp_path / "images"
    images.mkdir()
    write_images(images, pixels)
    names = np.array(CLASSES)[changed.argmax(axis=1)]
    works = pd.DataFrame({"label": names, "title": "A work", "md5": [str(one) for one in range(120)]})
    works.index.name = "object_id"
    hashes = np.arange(120, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    hashes[[20, 70]] = hashes[20]
    table_ = pd.DataFrame({"object_id": range(120), "hash": hashes})
    return Inputs(works, images, table_, {}, [Store(tmp_path / "mobilenet", rows)])


def test_an_audit_finds_errors_duplicates_and_blank_images(tmp_path, inputs):
    options = AuditOptions(
        task="kind", features=("mobilenet",), C=(1.0,), repeats=1, dimensions=8, duplicate_distance=0
    )
    found = audit(inputs, options, multilabel=False)
    rows = found.table.set_index("object_id")
    assert rows.loc[5, "suggested"] == "bowl"
    assert "label" in rows.loc[5, "reasons"]
    assert "near-duplicate of 70, which has vase" not in rows.loc[20, "evidence"]
    assert rows.loc[20, "evidence"] == "near-duplicate of 70, which has print"
    assert rows.loc[9, "reasons"].startswith("blank")
    assert found.unchecked == 0
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_audit(audit(inputs, options, multilabel=False), options, inputs.images, tmp_path / name)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    section = json.loads(one["section.json"])
    assert {file["file"] for file in section["tables"] + section["figures"]} <= set(one)
    metrics = json.loads(one["metrics.json"])
    assert metrics["findings.blank"] == 1
    assert set(AUDIT.metrics(options)) <= set(metrics)


def test_an_audit_that_finds_nothing_has_no_figure(tmp_path, inputs):
    options = AuditOptions(task="kind", features=("mobilenet",), C=(1.0,), repeats=1, dimensions=8)
    found = audit(inputs, options, multilabel=False)
    (tmp_path / "audit").mkdir()
    nothing = replace(found, table=found.table.head(0), counts={})
    write_audit(nothing, options, inputs.images, tmp_path / "audit")
    section = json.loads((tmp_path / "audit" / "section.json").read_text())
    assert section["text"][0].startswith("0 of 120 records of kind are suspected. The score")
    assert section["figures"] == []
    assert not (tmp_path / "audit" / "suspects.png").exists()


def test_images_that_every_model_was_trained_on_are_counted(inputs):
    works = inputs.works
    shares = pd.DataFrame(np.full((120, 3), 1 / 3), columns=[f"p:{one}" for one in CLASSES])
    made = shares.assign(object_id=range(120), origin=["held_out"] * 60 + ["resubstitution"] * 60)
    options = AuditOptions(task="kind", models=("svm",))
    found = audit(Inputs(works, inputs.images, inputs.image_hashes, {"svm": made}, []), options, multilabel=False)
    assert found.unchecked == 60


def test_a_task_of_one_label_cannot_be_audited(inputs):
    one = Inputs(inputs.works.assign(label="vase"), inputs.images, inputs.image_hashes, {}, inputs.stores)
    with pytest.raises(DiscoveryError, match="has 1 labels"):
        audit(one, AuditOptions(task="kind", features=("mobilenet",)), multilabel=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "a"}, "name models or features"),
        ({"task": "a", "models": ["svm", "svm"]}, "only once"),
        ({"task": "a", "features": ["gist"], "C": [0]}, "above 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        AuditOptions.model_validate(values)


def test_works_have_labels_titles_and_digests():
    manifest = pd.DataFrame({"object_id": [3, 1], "label": ["vase", "print"]})
    objects = pd.DataFrame({"object_id": [1, 2], "title": ["Leaf", "Cup"]})
    images = pd.DataFrame({"object_id": [3, 2], "md5": ["c", "b"]})
    found = works_of(manifest, objects, images)
    assert found.reset_index().to_numpy().tolist() == [[1, "print", "Leaf", ""], [3, "vase", "", "c"]]
