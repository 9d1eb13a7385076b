import json
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from art_pipeline.common.options import Options
from art_pipeline.errors import ModelError
from art_pipeline.lineage.model_card import KINDS
from art_pipeline.models import registry
from art_pipeline.models.classifier import read_details, write_card
from art_pipeline.models.networks.alexnet import AlexNetOptions
from art_pipeline.models.networks.mobilenet_v2 import MobileNetV2Options
from art_pipeline.models.networks.network import NetworkOptions
from art_pipeline.models.registry import load_classifier, options_of_kind


@pytest.mark.parametrize("kind", registry.OPTIONS)
def test_every_kind_has_options_that_say_their_kind_and_a_class_of_trained_ones(kind):
    options = options_of_kind(kind)
    assert issubclass(options, Options)
    assert options.model_fields["kind"].default == kind
    assert issubclass(options, NetworkOptions) == (kind in registry.NETWORKS)
    module, name = registry.CLASSIFIERS[kind].split(":")
    classifier = getattr(import_module(module), name)
    assert {"classes", "max_side", "training"} <= set(classifier.__annotations__)
    assert all(callable(getattr(classifier, method)) for method in ("probabilities", "save", "load"))


def test_a_model_card_knows_every_kind():
    assert set(KINDS) == set(registry.OPTIONS)


@given(st.text().filter(lambda kind: kind not in registry.OPTIONS))
def test_a_kind_that_is_not_known_is_told_with_those_that_are(kind):
    known = r"Known are bow_svm, dense_svm, alexnet, inception_v3, mobilenet_v2, feature_svm, ensemble\.$"
    with pytest.raises(ModelError, match=rf"^(?s:There is no model of kind .*){known}"):
        options_of_kind(kind)


def test_a_misspelt_kind_is_told_with_the_one_that_is_near():
    with pytest.raises(ModelError, match=r"kind 'alexnett'\. Did you mean 'alexnet'\? Known are"):
        options_of_kind("alexnett")


@pytest.mark.parametrize(
    "options", [AlexNetOptions(units=3, training={"seed": 5}), MobileNetV2Options(trainable_layers=0)]
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
        options_of_kind(kind)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"classes": ["a"]}, "max_side|options"),
        ({"classes": ["a"], "max_side": 9, "training": {}, "options": {"kind": "alexnet", "layers": 3}}, "layers"),
        ({"classes": ["a"], "max_side": 9, "training": {}, "options": {}}, "kind"),
    ],
)
def test_a_network_whose_card_is_damaged_says_so(tmp_path, content, reason):
    write_card(tmp_path, "alexnet", **content)
    with pytest.raises(ModelError, match=rf"(?s)is damaged \(.*({reason}).*\)\. Train it again\.$"):
        load_classifier(tmp_path)


def test_details_are_options_and_what_training_met(tmp_path):
    write_card(tmp_path, "alexnet", classes=["é"], options={"units": 3, "kind": "alexnet"}, training={"epochs": 7})
    assert read_details(tmp_path) == {"units": 3, "kind": "alexnet", "epochs": 7}
    write_card(tmp_path, "bow_svm", training={"folds": 2})
    assert read_details(tmp_path) == {"folds": 2}
    with pytest.raises(ModelError, match="holds no model"):
        read_details(tmp_path / "none")
