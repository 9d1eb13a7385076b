import re

import pandas as pd
import pytest

from art_pipeline.evaluation.report.formatting import UNDEFINED
from art_pipeline.lineage.model_card import write_card
from art_pipeline.lineage.record import Record
from art_pipeline.lineage.show import as_html

METRICS = {"n": 7, "accuracy": 0.75, "roc_auc_ovr": None, "interval_95": {"accuracy": {"low": 0.5, "high": 1.0}}}
PER_CLASS = pd.DataFrame(
    {
        "class": ["Arms | Armor", "Prints"],
        "support": [4, 3],
        "predicted": [6, 1],
        "precision": [0.5, 1.0],
        "recall": [0.75, 0.25],
        "f1": [0.6, 0.4],
        "roc_auc": [0.8, float("nan")],
        "most_confused_with": ["Prints", "Arms | Armor"],
    }
)
MANIFEST = pd.DataFrame(
    {
        "object_id": range(5),
        "label": ["Prints", "Prints", "Arms | Armor", "Arms | Armor", "Prints"],
        "split": ["train", "test", "train", "validation", "train"],
        "source": ["met", "met", "met", "wikiart", "met"],
        "licence": ["CC0-1.0", "CC0-1.0", "CC0-1.0", "", "CC0-1.0"],
    }
)
MET = "https://collectionapi.metmuseum.org/public/collection/v1"


@pytest.fixture
def record(result):
    return result.record


@pytest.fixture
def card(record):
    return write_card(record, METRICS, PER_CLASS, MANIFEST)


def section(card, title):
    return re.search(rf"## {title}\n(.*?)(\n## |\Z)", card, flags=re.DOTALL)[1]


def test_the_same_result_gives_the_same_card(record, card):
    assert write_card(record, dict(METRICS), PER_CLASS.copy(), MANIFEST.copy()) == card


def test_generated_images_are_said_to_be_generated_and_those_of_a_museum_are_not(record, card):
    assert "The images are generated" in section(card, "Data")
    assert "trying the code only" in section(card, "Intended use")
    assert "generated-data" in card
    of_met = write_card(record.model_copy(update={"museum": MET}), METRICS, PER_CLASS)
    assert "generated" not in of_met
    assert "code only" not in of_met


def test_it_says_what_it_is_for_and_what_not(card):
    use = section(card, "Intended use")
    assert "help cataloguers" in use
    assert "Not for authentication, valuation or attribution" in use


def test_it_has_the_parameters_as_they_ran(card):
    what = section(card, "Model")
    assert "an SVM with an RBF kernel" in what
    assert "| `small.C` | `0.5` |" in what
    assert "| `small.folds` | `null` |" in what


def test_objects_are_counted_by_class_and_split(card):
    data = section(card, "Data")
    assert "5 objects of 2 classes" in data
    assert "| Prints | 2 | 0 | 1 |" in data
    assert "| all | 3 | 1 | 1 |" in data


def test_without_the_split_table_nothing_is_counted(record):
    assert "The data set has" not in write_card(record, METRICS, PER_CLASS)


def test_figures_have_intervals_and_what_is_undefined_has_a_dash(card):
    figures = section(card, "Metrics")
    assert "| accuracy | 0.750 | 0.500 to 1.000 |" in figures
    assert f"ROC AUC (one-vs-rest) | {UNDEFINED} | {UNDEFINED} |" in figures


def test_every_class_has_a_row_and_no_name_breaks_the_table(card):
    rows = [line for line in section(card, "Metrics per class").splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(PER_CLASS)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}


def test_limits_name_the_scale_and_the_classes_that_it_fails(card):
    limits = section(card, "Limits")
    assert "baseline has an accuracy of 0.571" in limits
    assert re.search(r"more than half of the \d+ test works of Prints", limits)
    assert "works of Arms" not in limits


def test_the_command_names_the_environment_of_the_result(record):
    other = Record.parse(record.text.replace('"data/0', '"data/met/0'))
    for page in (write_card(other, METRICS, PER_CLASS, MANIFEST), as_html(other)):
        assert "kedro lineage verify met/small" in page


def test_it_tells_how_to_check_it_and_what_calculated(record, card):
    assert "kedro lineage verify small\n" in section(card, "Verification")
    calculated = section(card, "Environment")
    assert record.source.commit in calculated
    assert "Python 3.11.7 on linux-x86_64" in calculated
    assert "numpy 2.4.6" in calculated


def test_changes_and_overrides_are_told(record):
    changed = record.model_copy(
        update={
            "source": record.source.model_copy(update={"changes": "0" * 32}),
            "overrides": {"small.C": 0.5},
        }
    )
    calculated = section(write_card(changed, METRICS, PER_CLASS), "Environment")
    assert "0" * 32 in calculated
    assert "not from params.yaml: `small.C=0.5`" in calculated


def test_images_are_counted_by_source_and_licence(card):
    terms = section(card, "Licence")
    assert "| met | CC0-1.0 | 4 |" in terms
    assert "| wikiart | unknown | 1 |" in terms


@pytest.mark.parametrize(
    ("museum", "public", "terms"),
    [
        ("sample://museum", True, "Generated data"),
        (MET, True, "CC0-1.0"),
        (MET, False, "terms for each work"),
        ("https://museum.example/v1", True, "are unknown"),
        ("https://openaccess-api.clevelandart.org/api", True, "CC0-1.0. The Cleveland Museum of Art publishes"),
        ("wikiart:data/wikiart", True, "The terms of each image"),
        (f"{MET}, wikiart:data/wikiart", True, "The terms of each image"),
    ],
)
def test_the_images_terms_are_their_museums(record, museum, public, terms):
    step = record.steps["take"]
    parameters = {**step.parameters, "download": {"public_domain_only": public}}
    steps = {**record.steps, "take": step.model_copy(update={"parameters": parameters})}
    here = record.model_copy(update={"museum": museum, "steps": steps})
    assert terms in section(write_card(here, METRICS, PER_CLASS), "Licence")


def test_a_name_from_elsewhere_is_no_markdown(record):
    table = PER_CLASS.assign(**{"class": ["<script>", "[x](y)\n# z"]})
    card = write_card(record, METRICS, table)
    assert "<script>" not in card.replace("\\<script\\>", "")
    assert "\n# z" not in card


LABEL_METRICS = {
    "n": 10,
    "f2_samples": 0.6,
    "f2_samples_at": {"0.2": 0.5, "0.3": 0.45},
    "average_precision_macro": None,
    "interval_95": {"f2_samples": {"low": 0.5, "high": 0.7}},
}
PER_LABEL = pd.DataFrame(
    {
        "class": ["Gold | Silver", "Silk", "Wood"],
        "support": [4, 2, 0],
        "predicted": [6, 1, 0],
        "threshold": [0.25, 0.4, float("nan")],
        "precision": [0.4, 1.0, float("nan")],
        "recall": [0.75, 0.25, float("nan")],
        "f1": [0.6, 0.4, float("nan")],
        "f2": [0.7, 0.3, float("nan")],
        "average_precision": [0.8, 0.5, float("nan")],
        "roc_auc": [0.8, 0.9, float("nan")],
    }
)
LABEL_MANIFEST = MANIFEST.assign(label=["Silk", "", "Gold|Silk", "Gold", "Silk"])


@pytest.fixture
def label_card(record):
    return write_card(record, LABEL_METRICS, PER_LABEL, LABEL_MANIFEST)


def test_a_multilabel_model_predicts_any_number_of_labels(label_card):
    assert "predicts the department of an artwork, any number of labels, from one image" in section(label_card, "Model")
    assert "it suggests department where a record lacks them" in section(label_card, "Intended use")


def test_an_object_is_counted_once_for_each_of_its_labels(label_card):
    data = section(label_card, "Data")
    assert "5 objects of 2 labels" in data
    assert "| Gold | 1 | 1 | 0 |" in data
    assert "| Silk | 3 | 0 | 0 |" in data
    assert "| all images | 3 | 1 | 1 |" in data


def test_metrics_of_a_multilabel_model_include_f2_at_fixed_thresholds(label_card):
    figures = section(label_card, "Metrics")
    assert "| F2 (average over images), thresholds per label | 0.600 | 0.500 to 0.700 |" in figures
    assert f"| F2 at a threshold of 0.3 | 0.450 | {UNDEFINED} |" in figures
    assert f"| average precision (macro average) | {UNDEFINED} | {UNDEFINED} |" in figures
    assert "Thresholds were chosen on works that the model was not trained on" in figures
    assert "accuracy" not in figures


def test_every_label_has_a_row_with_its_threshold(label_card):
    rows = [line for line in section(label_card, "Metrics per label").splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(PER_LABEL)
    assert rows[3].startswith("| Silk | 2 | 1 | 0.400 | 1.000 |")


def test_limits_of_a_multilabel_model_name_the_labels_that_it_misses_and_those_that_it_predicts_wrongly(label_card):
    limits = section(label_card, "Limits")
    assert "misses more than half of the works with these labels: Silk." in limits
    assert "predictions of these labels are wrong: Gold \\| Silver." in limits
    assert "average precision (macro average) of 0.300" in limits
    assert "The labels (department) are one museum's classification" in limits
    assert "baseline" not in limits
