import copy
import json
import math
import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.common.options import Options
from art_pipeline.errors import ParameterError
from art_pipeline.kedro_ext.config_loader import ParamsYamlConfigLoader
from art_pipeline.pipelines.analysis.registry import ANALYSES
from art_pipeline.pipelines.parameters import OPTIONAL, RENAMED, STAGES, check_parameters, models_in
from art_pipeline.pipelines.wiring import check_wiring

PROJECT = Path(__file__).resolve().parents[2]
# As JSON, because YAML's aliases are one object that several blocks share.
OWN = json.loads(json.dumps(yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))))
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


# Blocks whose keys are names that the user chooses.
NAMES = [("tasks",), ("features",), *((kind.key,) for kind in ANALYSES)]
KEYS = sorted(paths(OWN), key=str)
MODELS = sorted(OWN.keys() - STAGES.keys())


def is_kind(path):
    """Whether a block is no longer a model without this key, or is another one."""
    return path[-1] in ("kind", "source", "extractor") or path in [(name,) for name in MODELS] or path[:-1] in NAMES


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
    found = re.search(rf"{re.escape(wrong)} is not known. Did you mean '(\w+)'\?", str(caught.value))
    assert found
    assert found[1] == path[-1] or nearness(found[1], name) > nearness(path[-1], name)


def nearness(one, other):
    """From 0 to 1; sged is nearer to sgd than to seed."""
    return SequenceMatcher(None, one, other).ratio()


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(sorted({path[:-1] for path in KEYS} - {*NAMES}, key=str)), st.text("qxz", min_size=6, max_size=9)
)
def test_a_key_like_no_other_is_named_with_all_that_are_known(above, name):
    parameters = copy.deepcopy(OWN)
    block = parent(parameters, (*above, name))
    block[name] = 1
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters)
    told, _, known = str(caught.value).partition(" is not known. Known are ")
    assert told == f"params.yaml: {'.'.join(map(str, (*above, name)))}"
    assert set(block) - {name} <= set(known.partition(".")[0].split(", "))  # and those that only some models write


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
    assert f"{former.replace('MODEL', model)} is now {now.replace('MODEL', model)}." in str(caught.value)


def test_a_former_block_is_not_missing_under_its_new_name(monkeypatch):
    monkeypatch.setitem(RENAMED, "report", "evaluate")
    parameters = renamed(("evaluate",), "report")
    with pytest.raises(ParameterError, match=r"^params\.yaml: report is now evaluate\.$"):
        check_parameters(parameters)


@pytest.mark.parametrize("environment", [None, "met", "quick", "test"])
def test_the_projects_own_parameters_pass(environment):
    loader = ParamsYamlConfigLoader(
        str(PROJECT / "conf"), env=environment, base_env="base", default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )  # fmt: skip
    check_parameters(loader["parameters"])


def test_params_yaml_names_every_parameter_there_is():
    def fields(block, above):
        yield above
        for name, value in block:
            if isinstance(value, Options):
                yield from fields(value, (*above, name))
            else:
                yield (*above, name)

    blocks = check_parameters(OWN)
    (source,) = blocks.pop("sources").root
    tops = {(name,): options for name, options in blocks.items()} | {("sources", 0): source}
    named = [path for above, block in tops.items() for path in fields(block, above) if path != ("sources", 0)]
    of_some = [
        path
        for path in named
        if path[1:2] in {("thresholds",), ("decide",)}
        or path[-2:] in {("training", "loss"), ("training", "loss_strength")}
    ]
    of_some_task = [path for path in named if path[0] == "tasks" and path[1:2] not in {(), ("department",)}]
    left_out = {*of_some, *of_some_task} - {*KEYS}
    assert sorted({("sources",), *named} - left_out, key=str) == KEYS
    assert {path[1:] for path in of_some} == {path[1:] for path in KEYS if path in of_some}  # at least once


@pytest.mark.parametrize("block", sorted(STAGES.keys() - set(OPTIONAL)))  # of which there may be none
def test_a_block_that_is_missing_is_named(block):
    parameters = copy.deepcopy(OWN)
    del parameters[block]
    with pytest.raises(ParameterError, match=rf"^params\.yaml: {block} is missing\.$"):
        check_parameters(parameters)


@pytest.mark.parametrize("block", sorted(STAGES))
def test_a_block_without_a_value_is_named(block):
    why = "it is a list" if block == "sources" else "write a block of keys and values"
    with pytest.raises(ParameterError, match=rf"^params\.yaml: {block} .*: {why}"):
        check_parameters(OWN | {block: None})


@pytest.mark.parametrize("block", sorted({*STAGES} - {"tasks", "features", "sources", "download"}))
def test_a_block_may_have_the_defaults_only(block):
    check_parameters(OWN | {block: {}})


def test_the_key_that_models_read_has_a_value():
    with pytest.raises(ParameterError, match=r"^params\.yaml: download\.max_side is missing\."):
        check_parameters(OWN | {"download": {}})
    check_parameters(OWN | {"download": {"max_side": 300}})


def test_a_multiclass_model_has_no_thresholds():
    with pytest.raises(ParameterError, match=r"bow_svm\.thresholds is for multi-label tasks, but department is"):
        check_parameters(OWN | {"bow_svm": OWN["bow_svm"] | {"thresholds": {}}})


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("tasks.department.split.test", 1.0, "cannot be 1.0: Input should be less than 1"),
        ("tasks.department.split.test", 0, "cannot be 0: Input should be greater than 0"),
        ("tasks.department.split.test", math.nan, "cannot be nan"),
        ("tasks.department.split.validation", -0.1, "cannot be -0.1: Input should be greater than or equal to 0"),
        (
            "tasks.department.near_duplicates.action",
            "dorp",
            "cannot be 'dorp': Input should be 'drop', 'group' or 'keep'",
        ),
        ("tasks.department.near_duplicates.max_distance", 33, "cannot be 33: Input should be less than or equal to 32"),
        ("tasks.department.classes.top", 1, "cannot be 1: Input should be greater than or equal to 2"),
        ("tasks.department.classes.names", "A", "cannot be 'A'"),
        ("tasks.department.seed", -1, "cannot be -1"),
        ("tasks.department.seed", 2**32, f"cannot be {2**32}: Input should be less than {2**32}"),
        ("tasks.department", None, "is empty: write a block of keys and values"),
        ("tasks.department", [1], "cannot be [1]: write a block of keys and values"),
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
        ("features.sift.sigma", 0, "cannot be 0: Input should be greater than 0"),
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
        ("tasks.department.images_per_class", None),
        ("tasks.department.images_per_class", "smallest"),
        ("tasks.department.images_per_class", 3),
        ("sources.0.departments", [6, "Islamic Art"]),
        ("bow_svm.svm.gamma", ["auto", 0.5]),
        ("bow_svm.svm.class_weight", "balanced"),
        ("tasks.department.split.validation", 0),
        ("sources.0.base_url", "http://127.0.0.1:8765/public/collection/v1/"),
    ],
)
def test_values_of_every_kind_pass(key, value):
    check_parameters(changed(key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tasks.department.images_per_class", 2),
        ("tasks.department.images_per_class", "smalest"),
        ("bow_svm.svm.gamma", ["auto", "scael"]),
    ],
)
def test_a_value_of_several_kinds_that_is_none_of_them_is_refused(key, value):
    with pytest.raises(ParameterError) as caught:
        check_parameters(changed(key, value))
    assert key in str(caught.value)
    assert repr(value[-1] if isinstance(value, list) else value) in str(caught.value)


def test_everything_that_is_wrong_is_told_at_once():
    parameters = changed("tasks.department.split.test", 2)
    parameters["download"]["min_side"] = 0
    parameters["tasks"]["department"]["lable"] = parameters["tasks"]["department"].pop("label")
    with pytest.raises(ParameterError) as caught:
        check_parameters(parameters)
    assert re.findall(r"(\S+\.\S+) (?:cannot|is)", str(caught.value)) == [
        "download.min_side",
        "tasks.department.label",
        "tasks.department.lable",
        "tasks.department.split.test",
    ]


def test_only_a_multilabel_task_keeps_images_without_a_label():
    check_parameters(changed("tasks.tags.unlabelled", "keep"))
    with pytest.raises(ParameterError, match=r"tasks\.department\.unlabelled cannot be 'keep': only a task of kind"):
        check_parameters(changed("tasks.department.unlabelled", "keep"))


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
    ("key", "value"), [("alexnet.augmented", True), ("inception_v3_transfer.features", ["colour_moments"])]
)
def test_what_wires_the_pipelines_is_set_in_params_yaml_alone(key, value):
    used = changed(key, value)
    with pytest.raises(ParameterError, match=rf"^{key.split('.')[0]}: .* Set it in params\.yaml"):
        check_wiring(OWN, used)


def on_features(*names, kind="feature_svm"):
    """The project's parameters, and a model on features."""
    return OWN | {"svm": {"kind": kind, "task": "department", "features": list(names)}}


def test_the_features_of_a_model_are_set_in_params_yaml_alone():
    with pytest.raises(ParameterError, match=r"^svm: .* sets features, which changes"):
        check_wiring(on_features("gist"), on_features("gist", "colour_moments"))


def test_what_does_not_wire_them_may_be_set_elsewhere():
    check_wiring(OWN, changed("inception_v3_transfer.dropout", 0.5))
    with pytest.raises(ParameterError, match=r"another is not in params\.yaml"):
        check_wiring(OWN, {**OWN, "another": OWN["alexnet"]})


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("alexnet.image_size", 66, "cannot be 66: a side must be at least 67 pixels for this network"),
        ("inception_v3.image_size", 74, "cannot be 74: a side must be at least 75 pixels for this network"),
        ("compute.backend", "theano", "cannot be 'theano': Input should be 'tensorflow', 'torch' or 'jax'"),
        ("inception_v3.trainable_layers", -1, "cannot be -1"),
        ("alexnet.training.adam.learning_rate", 0, "cannot be 0: Input should be greater than 0"),
        ("inception_v3.standardise", True, "standardise needs the means and variances of a model to start from"),
        ("inception_v3.trainable_layers", 0, "name them in a model of kind: head"),
    ],
)
def test_a_value_that_a_network_cannot_use_is_named(key, value, why):
    with pytest.raises(ParameterError, match=re.escape(why)):
        check_parameters(changed(key, value))


def test_models_may_judge_together():
    members = ["bow_svm", "alexnet"]
    found = check_parameters(OWN | {"both": {"kind": "ensemble", "task": "department", "members": members}})
    assert found["both"].members == tuple(members)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (
            ["bow_svm", "alexnett"],
            "both.members cannot be 'alexnett': there is no such model.* Did you mean 'alexnet'",
        ),
        (["bow_svm", "tasks"], "both.members cannot be 'tasks'"),
        (["bow_svm", "alexnet", "bow_svm"], "members holds 'bow_svm' twice"),
        (["bow_svm", "both"], "both.members cannot be 'both': it is an ensemble itself"),
        (["bow_svm", "tags_svm"], "both.members cannot be 'tags_svm': its task is tags, not department"),
    ],
)
def test_members_that_are_no_models(members, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(OWN | {"both": {"kind": "ensemble", "task": "department", "members": members}})


def test_a_model_reads_the_features_that_it_names():
    assert check_parameters(on_features("gist", "colour_moments"))["svm"].features == ("gist", "colour_moments")


@pytest.mark.parametrize(
    ("kind", "features", "why"),
    [
        ("feature_svm", ["gists"], r"svm.features cannot have 'gists': there is no such block.* Did you mean 'gist'"),
        ("head", ["svm"], r"svm.features cannot have 'svm': there is no such block in features"),
        ("feature_svm", ["gist", "sift"], r"svm.features cannot be .*: sift \(sift\) has any number of rows per image"),
        ("bow_svm", ["gist"], r"svm.features cannot be .*: gist \(gist\) has one row per image, and bow_svm needs"),
    ],
)
def test_features_that_a_model_cannot_read(kind, features, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(on_features(*features, kind=kind))


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
    head = {"kind": "head", "task": "department", "features": ["inception_v3"], "train_on": ["train"]}
    parameters["first"] = head | {field: value}
    with pytest.raises(ParameterError, match=rf"second\.start_from cannot be 'first': its {field} differs"):
        check_parameters(parameters)
    parameters["second"] |= {field: value}
    assert getattr(check_parameters(parameters)["second"], field) == value


def test_an_environment_may_add_the_other_half_of_what_fills_up_classes():
    written = OWN | {"sources": [*OWN["sources"], SUPPLEMENT]}
    used = written | {"tasks": OWN["tasks"] | {"department": OWN["tasks"]["department"] | {"supplement_to": 50}}}
    check_wiring(written, used)
    assert check_parameters(used)["tasks"].department.supplement_to == 50


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"sources": [*OWN["sources"], SUPPLEMENT]},
            "sources has supplements, which do nothing without",
        ),
        (
            {"tasks": OWN["tasks"] | {"department": OWN["tasks"]["department"] | {"supplement_to": 50}}},
            r"tasks\.department\.supplement_to needs a supplement",
        ),
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


def test_a_list_that_was_a_block_is_not_missing_too():
    former = {name: block for name, block in OWN.items() if name != "sources"} | {"museum": {"source": "met"}}
    with pytest.raises(ParameterError, match=r"^params\.yaml: museum is now sources, a list \(docs/sources\.md\)\.$"):
        check_parameters(former)


@pytest.mark.parametrize(
    ("starts", "why"),
    [
        ({"first": None, "second": "frist"}, "second.start_from cannot be 'frist'.* Did you mean 'first'"),
        ({"second": "alexnet"}, "second.start_from cannot be 'alexnet': it is not of kind mobilenet_v2"),
        ({"second": "tasks"}, "second.start_from cannot be 'tasks'"),
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
    found = {"tasks.department.classes.names.1": text}.get
    with pytest.raises(ParameterError) as caught:
        check_parameters(changed("tasks.department.classes.names", names), found)
    assert f"tasks.department.classes.names.1 cannot be {text} without quotes, which YAML reads as the " in str(
        caught.value
    )
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


def with_task(name="second", **changes):
    """Our parameters with a second task."""
    tasks = OWN["tasks"] | {name: OWN["tasks"]["department"] | changes}
    return OWN | {"tasks": tasks}


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (OWN | {"tasks": {}}, "tasks is empty; define at least one task"),
        (with_task("alexnet"), "alexnet is the name of a task and of a model; rename one"),
        (with_task("Second"), "a task cannot be called 'Second'"),
        (changed("alexnet.task", "departement"), "alexnet.task cannot be 'departement'.* Did you mean 'department'"),
        (
            changed("alexnet.training.loss", "asymmetric"),
            r"task cannot be 'department', which is multiclass: training\.loss cannot be asymmetric",
        ),
        (changed("alexnet.task", ""), r"alexnet\.task is missing\. Tasks: department"),
        (
            with_task(split={"same_as": "departement"}),
            "tasks.second.split.same_as cannot be .* Did you mean 'department'",
        ),
        (with_task(split={"same_as": "second"}), "split.same_as of second is second: this is a cycle"),
        (changed("features.sift.extractor", "sfit"), "features.sift.extractor: There is no extractor 'sfit'.*'sift'"),
        (OWN | {"features": {"sift": {}}}, r"features\.sift\.extractor is missing\. It can be sift, "),
        (OWN | {"features": {"SIFT": OWN["features"]["sift"]}}, "a block of features cannot be called 'SIFT'"),
    ],
)
def test_tasks_and_features_that_do_not_fit(parameters, why):
    with pytest.raises(ParameterError, match=why):
        check_parameters(parameters)


@pytest.mark.parametrize("change", [{"kind": "multilabel"}, {"split": {"same_as": "other"}}])
def test_an_environment_does_not_change_the_pipelines_of_a_task(change):
    tasks = {"other": OWN["tasks"]["department"], **with_task()["tasks"]}
    written, used = OWN | {"tasks": tasks}, OWN | {"tasks": tasks | {"second": tasks["second"] | change}}
    with pytest.raises(ParameterError, match=r"^tasks\.second: an environment or --params sets (kind|split\.same_as)"):
        check_wiring(written, used)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gist": {"extractor": "mobilenet_v2"}}, "sets extractor"),
        ({"gist": {"extractor": "gist", "images": "selected"}}, "sets images"),
        ({"other": {"extractor": "gist"}}, r"features\.other is not in params\.yaml"),
    ],
)
def test_an_environment_does_not_change_the_pipelines_of_features(changes, why):
    with pytest.raises(ParameterError, match=why):
        check_wiring(OWN, OWN | {"features": OWN["features"] | changes})
