import copy
import math
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.common.options import Options
from art_pipeline.errors import ParameterError
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
from art_pipeline.pipelines.parameters import RENAMED, STAGES, check_parameters, check_wiring, models_in

PROJECT = Path(__file__).resolve().parents[2]
OWN = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
FOLDER = {"source": "folder", "folder": "theirs"}
SUPPLEMENT = FOLDER | {"supplement": True}


def paths(block, above=()):
    """Every key at any depth, as a path."""
    for key, value in block.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths(value, (*above, key))
        if key == "sources":
            for number, one in enumerate(value):
                yield from paths(one, (*above, key, number))


KEYS = sorted(paths(OWN), key=str)
MODELS = sorted(OWN.keys() - STAGES.keys())


def is_kind(path):
    """Whether a block is no longer a model without this key, or is another one."""
    return path[-1] in ("kind", "source") or path in [(name,) for name in MODELS]


def has_a_twin(path):
    """Whether another key beside it is as near to most of its misspellings."""
    return path[-1].startswith("beta_")


LETTERS = "abcdefghijklmnopqrstuvwxyz_"


def parent(parameters, path):
    for key in path[:-1]:
        parameters = parameters[key]
    return parameters


def changed(path, value):
    """Our parameters with one value changed."""
    parameters = copy.deepcopy(OWN)
    *above, last = path.split(".")
    parent(parameters, (*[int(key) if key.isdecimal() else key for key in above], last))[last] = value
    return parameters


def renamed(path, name):
    parameters = copy.deepcopy(OWN)
    block = parent(parameters, path)
    block[name] = block.pop(path[-1])
    return parameters


@st.composite
def misspelt(draw):
    """A path to a key, and the key with a letter added, lost, changed or swapped."""
    path = draw(
        st.sampled_from([path for path in KEYS if len(path[-1]) > 3 and not is_kind(path) and not has_a_twin(path)])
    )
    key = path[-1]
    place, letter = draw(st.integers(0, len(key) - 2)), draw(st.sampled_from(LETTERS))
    name = draw(
        st.sampled_from(
            [
                key[:place] + letter + key[place:],
                key[:place] + key[place + 1 :],
                key[:place] + letter + key[place + 1 :],
                key[:place] + key[place + 1] + key[place] + key[place + 2 :],
            ]
        )
    )
    return path, name


@settings(deadline=None, max_examples=100)
@given(misspelt())
def test_a_misspelt_key_is_named_with_the_one_that_was_meant(case):
    path, name = case
    if name in parent(OWN, path):
        return
    with pytest.raises(ParameterError) as caught:
        check_parameters(renamed(path, name))
    wrong = ".".join(map(str, (*path[:-1], name)))
    assert f"{wrong} is not known. Did you mean {path[-1]!r}?" in str(caught.value)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted({path[:-1] for path in KEYS}, key=str)), st.text("qxz", min_size=6, max_size=9))
def test_a_key_like_no_other_is_named_with_all_that_are_known(above, name):
    parameters = copy.deepcopy(OWN)
    block = parent(parameters, (*above, name))
    block[name] = 1
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters)
    known = ", ".join(sorted(set(block) - {name}))
    assert f"{'.'.join(map(str, (*above, name)))} is not known. Known are {known}." in str(caught.value)


@pytest.mark.parametrize("former", RENAMED)
def test_a_former_key_is_answered_with_the_new_one(former):
    key, _, value = former.partition(": ")
    model = {"svm": "bow_svm", "vocabulary": "bow_svm", "shape": "bow_svm_dense", "colour": "bow_svm_dense"}.get(
        key.split(".")[1] if "." in key else "", "inception_v3"
    )
    path, now = tuple(key.replace("MODEL", model).split(".")), RENAMED[former]
    parameters = copy.deepcopy(OWN)
    if path[-1] in parent(parameters, path) and not value:
        pytest.skip("its own rename is under way")
    parent(parameters, path)[path[-1]] = value or 1
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters)
    expected = f"is now {now.replace('MODEL', model)}." if isinstance(now, str) else "is now written so:\n"
    assert f"{former.replace('MODEL', model)} {expected}" in str(caught.value)


def test_a_former_block_is_not_missing_under_its_new_name(monkeypatch):
    monkeypatch.setitem(RENAMED, "report", "evaluate")
    parameters = renamed(("evaluate",), "report")
    with pytest.raises(ParameterError, match=r"^params\.yaml: report is now evaluate\.$"):
        check_parameters(parameters)


def test_a_block_of_a_former_shape_is_shown_in_its_new_one(monkeypatch):
    monkeypatch.setitem(RENAMED, "report", lambda value: f"pages: {value}")
    with pytest.raises(ParameterError, match=r"^params\.yaml: report is now written so:\npages: 1$"):
        check_parameters(OWN | {"report": 1})


@pytest.mark.parametrize("environment", [None, "met", "quick", "test"])
def test_the_projects_own_parameters_pass(environment):
    loader = ParamsYamlConfigLoader(
        str(PROJECT / "conf"), env=environment, base_env="base", default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )  # fmt: skip
    check_parameters(loader["parameters"])


def test_params_yaml_names_every_parameter_there_is():
    def fields(kind, above):
        yield above
        for name, field in kind.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Options):
                yield from fields(field.annotation, (*above, name))
            else:
                yield (*above, name)

    blocks = check_parameters(OWN)
    (source,) = blocks.pop("sources").root
    kinds = {(name,): type(options) for name, options in blocks.items()} | {("sources", 0): type(source)}
    named = [path for above, kind in kinds.items() for path in fields(kind, above) if path != ("sources", 0)]
    assert sorted([("sources",), *named], key=str) == KEYS


@pytest.mark.parametrize("block", sorted(STAGES))
def test_a_block_that_is_missing_is_named(block):
    parameters = copy.deepcopy(OWN)
    del parameters[block]
    with pytest.raises(ParameterError, match=rf"^params\.yaml: {block} is missing\.$"):
        check_parameters(parameters)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("subset.split.test", 1.0, "cannot be 1.0: Input should be less than 1"),
        ("subset.split.test", 0, "cannot be 0: Input should be greater than 0"),
        ("subset.split.test", math.nan, "cannot be nan"),
        ("subset.split.validation", -0.1, "cannot be -0.1: Input should be greater than or equal to 0"),
        ("subset.near_duplicates.action", "dorp", "cannot be 'dorp': Input should be 'drop', 'group' or 'keep'"),
        ("subset.near_duplicates.max_distance", 33, "cannot be 33: Input should be less than or equal to 32"),
        ("subset.classes.top", 1, "cannot be 1: Input should be greater than or equal to 2"),
        ("subset.classes.names", "A", "cannot be 'A'"),
        ("subset.seed", -1, "cannot be -1"),
        ("subset.seed", 2**32, f"cannot be {2**32}: Input should be less than {2**32}"),
        ("subset", None, "cannot be None"),
        (
            "sources.0.base_url",
            "metmuseum.org",
            "cannot be 'metmuseum.org': 'metmuseum.org' is not a URL; write http",
        ),
        ("sources.0.connections", 0, "cannot be 0: Input should be greater than or equal to 1"),
        ("sources.0.user_agent", "", "cannot be ''"),
        ("sources.0.timeout", "soon", "cannot be 'soon': Input should be a valid number"),
        ("download.size", "large", "cannot be 'large': Input should be 'small' or 'original'"),
        ("download.max_side", 31, "cannot be 31: Input should be greater than or equal to 32"),
        ("sift.sigma", 0, "cannot be 0: Input should be greater than 0"),
        ("bow_svm.vocabulary.words", 1, "cannot be 1: Input should be greater than or equal to 2"),
        ("bow_svm.weighting", "tfidf", "cannot be 'tfidf'"),
        ("bow_svm.svm.C", 1.0, "cannot be 1.0: Input should be a valid tuple"),
        ("bow_svm.svm.folds", 1, "cannot be 1: Input should be greater than or equal to 2"),
        ("evaluate.bootstrap", 99, "cannot be 99: Input should be greater than or equal to 100"),
        ("evaluate.examples", 21, "cannot be 21: Input should be less than or equal to 20"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_key(key, value, why):
    with pytest.raises(ParameterError) as caught:
        check_parameters(changed(key, value))
    assert f"params.yaml: {key} {why}" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subset.images_per_class", None),
        ("subset.images_per_class", "smallest"),
        ("subset.images_per_class", 3),
        ("sources.0.departments", [6, "Islamic Art"]),
        ("bow_svm.svm.gamma", ["auto", 0.5]),
        ("bow_svm.svm.class_weight", "balanced"),
        ("subset.split.validation", 0),
        ("sources.0.base_url", "http://127.0.0.1:8765/public/collection/v1/"),
    ],
)
def test_values_of_every_kind_pass(key, value):
    check_parameters(changed(key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [("subset.images_per_class", 2), ("subset.images_per_class", "smalest"), ("bow_svm.svm.gamma", ["auto", "scael"])],
)
def test_a_value_of_several_kinds_that_is_none_of_them_is_refused(key, value):
    with pytest.raises(ParameterError) as caught:
        check_parameters(changed(key, value))
    assert key in str(caught.value)
    assert repr(value[-1] if isinstance(value, list) else value) in str(caught.value)


def test_everything_that_is_wrong_is_told_at_once():
    parameters = changed("subset.split.test", 2)
    parameters["download"]["min_side"] = 0
    parameters["subset"]["lable"] = parameters["subset"].pop("label")
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters)
    assert re.findall(r"(\S+\.\S+) (?:cannot|is)", str(caught.value)) == [
        "download.min_side",
        "subset.label",
        "subset.lable",
        "subset.split.test",
    ]


def test_nothing_that_is_checked_is_changed():
    parameters = copy.deepcopy(OWN)
    check_parameters(parameters)
    assert parameters == OWN


def test_every_block_with_a_kind_is_a_model():
    assert sorted(models_in(OWN)) == MODELS
    further = {**OWN, "another_one": OWN["alexnet"]}
    assert sorted(models_in(further)) == sorted([*MODELS, "another_one"])


@pytest.mark.parametrize("name", ["Alexnet", "alex-net", "alex__net", "_alexnet", "1net", "alexnet_"])
def test_a_model_has_a_name_that_folders_and_arguments_can_have(name):
    with pytest.raises(ParameterError, match=f"a model cannot be called '{name}'"):
        check_parameters({**OWN, name: OWN["alexnet"]})


def test_an_unknown_kind_is_told_with_the_nearest():
    with pytest.raises(ParameterError, match=r"alexnet\.kind: There is no model of kind .inception.\. Did you mean"):
        check_parameters(changed("alexnet.kind", "inception"))


@pytest.mark.parametrize(
    ("key", "value"), [("alexnet.augmented", True), ("inception_v3_transfer.trainable_layers", "all")]
)
def test_what_wires_the_pipelines_is_set_in_params_yaml_alone(key, value):
    used = changed(key, value)
    used["inception_v3_transfer"]["standardise"] = False
    with pytest.raises(ParameterError, match=rf"^{key.split('.')[0]}: .* Set it in params\.yaml"):
        check_wiring(OWN, used)


def test_whose_features_a_machine_takes_is_set_in_params_yaml_alone():
    made = OWN | {"svm": {"kind": "feature_svm", "features_of": "inception_v3_transfer"}}
    used = OWN | {"svm": {"kind": "feature_svm", "features_of": "inception_v3_transfer_augmented"}}
    with pytest.raises(ParameterError, match=r"^svm: .* sets features_of, which changes"):
        check_wiring(made, used)


def test_what_does_not_wire_them_may_be_set_elsewhere():
    check_wiring(OWN, changed("inception_v3_transfer.weights", "imagenet"))
    with pytest.raises(ParameterError, match=r"another is no model in params\.yaml"):
        check_wiring(OWN, {**OWN, "another": OWN["alexnet"]})


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("alexnet.image_size", 66, "cannot be 66: Input should be greater than or equal to 67"),
        ("inception_v3.image_size", 74, "cannot be 74: Input should be greater than or equal to 75"),
        ("compute.backend", "theano", "cannot be 'theano': Input should be 'tensorflow', 'torch' or 'jax'"),
        ("inception_v3.trainable_layers", -1, "cannot be -1"),
        ("alexnet.training.adam.learning_rate", 0, "cannot be 0: Input should be greater than 0"),
        ("inception_v3.standardise", True, "standardise needs a frozen base"),
    ],
)
def test_a_value_that_a_network_cannot_use_is_named(key, value, why):
    with pytest.raises(ParameterError, match=re.escape(why)):
        check_parameters(changed(key, value))


def test_models_may_judge_together():
    members = ["bow_svm", "alexnet"]
    found = check_parameters(OWN | {"both": {"kind": "ensemble", "members": members}})
    assert found["both"].members == tuple(members)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (
            ["bow_svm", "alexnett"],
            "both.members cannot be 'alexnett': there is no such model.* Did you mean 'alexnet'",
        ),
        (["bow_svm", "subset"], "both.members cannot be 'subset'"),
        (["bow_svm", "alexnet", "bow_svm"], "members holds 'bow_svm' twice"),
        (["bow_svm", "both"], "both.members cannot be 'both': it is an ensemble itself"),
    ],
)
def test_members_that_are_no_models(members, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(OWN | {"both": {"kind": "ensemble", "members": members}})


def test_a_machine_may_take_the_features_of_a_frozen_network():
    found = check_parameters(OWN | {"svm": {"kind": "feature_svm", "features_of": "inception_v3_transfer"}})
    assert found["svm"].features_of == "inception_v3_transfer"


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("inception_v3_transferr", r"there is no such model.* Did you mean 'inception_v3_transfer'"),
        ("inception_v3", "svm.features_of cannot be 'inception_v3'"),
        ("bow_svm", "svm.features_of cannot be 'bow_svm'"),
        ("svm", "svm.features_of cannot be 'svm'"),
    ],
)
def test_models_whose_features_are_not_at_hand(network, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(OWN | {"svm": {"kind": "feature_svm", "features_of": network}})


def tuned(**starts):
    """The project's parameters, and models that start from others."""
    model = {**OWN["inception_v3"], "kind": "mobilenet_v2", "weights": "random", "batch_norm_momentum": 0.9}
    return OWN | {name: model | {"start_from": start} for name, start in starts.items()}


def test_a_model_may_start_from_another_of_its_kind():
    assert check_parameters(tuned(first=None, second="first"))["second"].start_from == "first"


def test_a_model_does_not_stop_by_what_its_start_has_learnt_from():
    parameters = tuned(first=None, second="first", third="second")
    everything = {"train_on": ["train", "validation"]}
    parameters["first"] = parameters["first"] | everything
    parameters["first"]["training"] = parameters["first"]["training"] | {"calibrate": False}
    with pytest.raises(
        ParameterError,
        match=r"second\.start_from cannot be 'first': it has trained on the validation split.*; set train_on to",
    ):
        check_parameters(parameters)
    for name in ("second", "third"):
        parameters[name] = parameters["first"] | {"start_from": parameters[name]["start_from"]}
    assert check_parameters(parameters)["third"].start_from == "second"


def test_a_model_starts_from_one_with_the_same_features():
    parameters = tuned(first=None, second="first")
    for name in ("first", "second"):
        parameters[name] = parameters[name] | {"feature_layers": ["one", "two"]}
    assert check_parameters(parameters)["second"].feature_layers == ("one", "two")
    parameters["first"] = parameters["first"] | {"feature_layers": ["two", "one"]}
    with pytest.raises(
        ParameterError,
        match="its feature_layers differs; set both to the same value",
    ):
        check_parameters(parameters)


@pytest.mark.parametrize(("field", "value"), [("standardise", True), ("hidden_units", 9)])
def test_a_model_starts_from_one_with_the_same_head(field, value):
    parameters = tuned(first=None, second="first")
    parameters["first"] |= {"trainable_layers": 0, field: value}
    with pytest.raises(ParameterError, match=rf"second\.start_from cannot be 'first': its {field} differs"):
        check_parameters(parameters)
    parameters["second"] |= {field: value}
    assert getattr(check_parameters(parameters)["second"], field) == value


def test_an_environment_may_add_the_other_half_of_what_fills_up_classes():
    written = OWN | {"sources": [*OWN["sources"], SUPPLEMENT]}
    used = written | {"subset": OWN["subset"] | {"supplement_to": 50}}
    check_wiring(written, used)
    assert check_parameters(used)["subset"].supplement_to == 50


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"sources": [*OWN["sources"], SUPPLEMENT]},
            "sources has supplements, which do nothing without",
        ),
        ({"subset": OWN["subset"] | {"supplement_to": 50}}, r"subset\.supplement_to needs a supplement"),
    ],
)
def test_half_of_what_fills_up_classes_does_nothing(given, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(OWN | given)


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([], "sources cannot be used: it is empty; name at least one source."),
        ({"source": "met"}, "sources cannot be used: it is a list; begin each source with a dash: - source: …."),
        ([{}], "sources.0.source is missing. It can be met, cleveland, table"),
        ([{"source": "wikart"}], "sources.0.source cannot be 'wikart'. Did you mean 'wikiart'? It can be met"),
        ([FOLDER | {"departments": [6]}], "sources.0.departments is not known."),
        ([FOLDER | {"license": "CC0-1.0"}], "sources.0.license is not known. Did you mean 'licence'?"),
        ([OWN["sources"][0], FOLDER], "source 1 (folder) is not the first one; set its supplement: true"),
    ],
)
def test_a_list_of_sources_that_cannot_be_used(sources, why):
    with pytest.raises(ParameterError) as caught:
        check_parameters(OWN | {"sources": sources})
    assert f"params.yaml: {why}" in str(caught.value) or why in str(caught.value)


def test_a_params_yaml_of_an_earlier_version_is_shown_the_list_with_its_own_values():
    museum = {"source": "folder", "departments": [], "files": {"folder": "data/mine", "pictures": ""}, "seed": 7}
    with pytest.raises(ParameterError) as caught:
        check_parameters({name: block for name, block in OWN.items() if name != "sources"} | {"museum": museum})
    told = "params.yaml: museum is now written so:\nsources:\n- source: folder\n  seed: 7\n  folder: data/mine"
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("starts", "why"),
    [
        ({"first": None, "second": "frist"}, "second.start_from cannot be 'frist'.* Did you mean 'first'"),
        ({"second": "alexnet"}, "second.start_from cannot be 'alexnet': it is not of kind mobilenet_v2"),
        ({"second": "subset"}, "second.start_from cannot be 'subset'"),
        ({"one": "two", "two": "one"}, "one needs two needs one: this is a cycle"),
        ({"one": "one"}, "one needs one: this is a cycle"),
    ],
)
def test_a_start_that_leads_nowhere(starts, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(tuned(**starts))


@pytest.mark.parametrize("text", ["NO", "off", "true", "1850", "0123", "1e3", "1_850", ".5", "1:30"])
def test_a_name_that_yaml_reads_as_another_type_is_named_as_it_is_written(text):
    names = yaml.safe_load(f"[Cubism, {text}]") if text != "1e3" else ["Cubism", 1000.0]
    found = {"subset.classes.names.1": text}.get
    with pytest.raises(ParameterError) as caught:
        check_parameters(changed("subset.classes.names", names), found)
    assert f"subset.classes.names.1 cannot be {text} without quotes, which YAML reads as the " in str(caught.value)
    assert f' {names[1]!r}: write "{text}".' in str(caught.value)


def test_a_number_in_place_of_a_text_asks_for_quotes():
    with pytest.raises(ParameterError, match=r"sources\.0\.keep\.0 cannot be 1850: a text is needed, so write it in"):
        check_parameters(OWN | {"sources": [FOLDER | {"keep": [1850]}]})


def test_a_column_that_yaml_reads_as_another_type_is_named():
    parameters = OWN | {"sources": [FOLDER | {"columns": {"style": False}}]}
    with pytest.raises(ParameterError, match=r"sources\.0\.columns\.style cannot be NO without quotes, .* \"NO\"\."):
        check_parameters(parameters, {"sources.0.columns.style": "NO"}.get)


def test_a_department_that_yaml_reads_as_another_type_is_named():
    with pytest.raises(
        ParameterError, match=r"sources\.0\.departments\.0 cannot be NO without quotes, .* False: write"
    ):
        check_parameters(changed("sources.0.departments", [False]), {"sources.0.departments.0": "NO"}.get)
