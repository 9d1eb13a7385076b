import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.errors import ModelError
from art_pipeline.models import registry
from art_pipeline.models.classifier import (
    METADATA,
    read_details,
    read_metadata,
    read_thresholds,
    thresholds_to_json,
    write_metadata,
)
from art_pipeline.models.family import ModelFamily
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.family import NetworkOptions
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.registry import family_of, load_classifier


@pytest.mark.parametrize("kind", registry.FAMILIES)
def test_every_family_answers_all_that_is_asked_of_it(kind):
    family = family_of(kind)
    assert issubclass(family, ModelFamily)
    assert not inspect.isabstract(family)
    assert family.model_fields["kind"].default == kind
    assert family.DESCRIPTION.startswith(("a ", "an ", "the "))
    assert set(ModelFamily.REQUIREMENTS) <= set(family.REQUIREMENTS)


@given(st.text().filter(lambda kind: kind not in registry.FAMILIES))
def test_a_kind_that_is_not_known_is_told_with_those_that_are(kind):
    known = rf"Known are {', '.join(registry.FAMILIES)}\.$"
    with pytest.raises(ModelError, match=rf"^(?s:There is no model of kind .*){known}"):
        family_of(kind)


def test_a_misspelt_kind_is_told_with_the_one_that_is_near():
    with pytest.raises(ModelError, match=r"kind 'alexnett'\. Did you mean 'alexnet'\? Known are"):
        family_of("alexnett")


@pytest.mark.parametrize(
    "options",
    [
        AlexNetOptions(task="department", units=3, training={"seed": 5}),
        MobileNetV2Options(task="department", trainable_layers=3),
    ],
)
def test_options_come_back_from_json_as_those_of_their_kind(options):
    found = NetworkOptions.model_validate(json.loads(options.model_dump_json()))
    assert type(found) is type(options)
    assert found == options
    assert NetworkOptions.model_validate(options) is options


def test_a_block_is_checked_by_the_rules_of_its_kind():
    with pytest.raises(ValidationError, match="units"):
        NetworkOptions.model_validate({"kind": "inception_v3", "units": 3})
    with pytest.raises(ModelError, match="There is no model of kind 'vgg'"):
        NetworkOptions.model_validate({"kind": "vgg"})


@pytest.mark.parametrize("kind", [None, 3, ["alexnet"], {"alexnet": 1}])
def test_a_kind_that_is_no_name_is_told_as_one_that_is_not_known(kind):
    with pytest.raises(ModelError, match="There is no model of kind"):
        family_of(kind)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"classes": ["a"]}, "max_side|options"),
        ({"classes": ["a"], "max_side": 9, "training": {}, "options": {"kind": "alexnet", "layers": 3}}, "layers"),
        ({"classes": ["a"], "max_side": 9, "training": {}, "options": {}}, "kind"),
    ],
)
def test_a_network_whose_card_is_damaged_says_so(tmp_path, content, reason):
    write_metadata(tmp_path, "alexnet", **content)
    with pytest.raises(ModelError, match=rf"(?s)is damaged \(.*({reason}).*\)\. Train it again\.$"):
        load_classifier(tmp_path)


THRESHOLDS = {"values": {"gold": 0.2, "silk": 0.4}, "min_labels": 0, "max_labels": None}


@pytest.mark.parametrize(("thresholds", "kind"), [(None, "multiclass"), (THRESHOLDS, "multilabel")])
def test_a_model_of_the_former_format_is_read_as_one_of_its_kind(tmp_path, thresholds, kind):
    write_metadata(tmp_path, "feature_svm", classes=["gold", "silk"], thresholds=thresholds)
    new = read_metadata(tmp_path)
    assert new["task_kind"] == kind
    former = {key: value for key, value in new.items() if key != "task_kind"} | {"format": 1}
    (tmp_path / METADATA).write_text(json.dumps(former))
    assert read_metadata(tmp_path) == new


def test_a_multilabel_model_without_thresholds_is_not_read_as_a_multiclass_one(tmp_path):
    write_metadata(tmp_path, "feature_svm", classes=["gold", "silk"], thresholds=THRESHOLDS)
    metadata = read_metadata(tmp_path)
    assert read_thresholds(metadata).labels == ("gold", "silk")
    assert read_thresholds(metadata).decision == "thresholds"
    chosen = read_thresholds(metadata | {"thresholds": THRESHOLDS | {"decision": "expected_f2"}})
    assert thresholds_to_json(chosen)["decision"] == chosen.decision == "expected_f2"
    with pytest.raises(ModelError, match="a multi-label model has thresholds, but they are missing"):
        read_thresholds(metadata | {"thresholds": None})


def test_details_are_options_and_what_training_met(tmp_path):
    write_metadata(tmp_path, "alexnet", classes=["é"], options={"units": 3, "kind": "alexnet"}, training={"epochs": 7})
    assert read_details(tmp_path) == {"units": 3, "kind": "alexnet", "epochs": 7}
    write_metadata(tmp_path, "bow_svm", training={"folds": 2})
    assert read_details(tmp_path) == {"folds": 2}
    with pytest.raises(ModelError, match="holds no model"):
        read_details(tmp_path / "none")
