import io

import pandas as pd
import pytest
from PIL import Image

from art_pipeline.evaluation.figures.canvas import DPI
from art_pipeline.pipelines.evaluate import pipeline as evaluate
from art_pipeline.pipelines.report import pipeline as report
from art_pipeline.pipelines.report.nodes import plot_distribution
from art_pipeline.tasks.options import TaskOptions

FIGURES = {"confusion_matrix", "prediction_examples", "calibration"}


def outputs(model, kind):
    return {f"{model}.{name}" for name in evaluate.create_pipeline(kind).all_outputs()} | {f"{model}.model"}


MODELS = {
    "svm": outputs("svm", "multiclass"),
    "tags_svm": outputs("tags_svm", "multilabel"),
    "net": outputs("net", "multiclass"),
}
TASKS = {"svm": "department", "net": "department", "tags_svm": "tags"}


@pytest.fixture(scope="module")
def pipeline():
    return report.create_pipeline(MODELS, TASKS, {"tags"}, ["discovery_looks"])


def node_of(pipeline, name):
    return next(node for node in pipeline.nodes if node.name == name)


@pytest.mark.parametrize(
    ("kind", "own"), [("multiclass", {"class_examples"}), ("multilabel", {"precision_recall", "labels"})]
)
def test_figures_of_a_model_depend_on_the_kind_of_its_task(kind, own):
    figures = {one for one in evaluate.create_pipeline(kind).all_outputs() if one.endswith("_figure")}
    assert figures == {f"{name}_figure" for name in FIGURES | own}


def test_both_kinds_have_the_same_tables():
    tables = [
        {one for one in evaluate.create_pipeline(kind).all_outputs() if not one.endswith("_figure")}
        for kind in ("multiclass", "multilabel")
    ]
    assert tables[0] == tables[1]


def test_models_are_compared_within_their_task_only(pipeline):
    assert set(node_of(pipeline, "plot_comparison_department").inputs) == {"svm.metrics", "net.metrics"}
    assert set(node_of(pipeline, "compare_models_tags").inputs) == {"tags_svm.predictions"}


def test_the_report_reads_all_figures_of_models_and_tasks(pipeline):
    read = set(node_of(pipeline, "write_report").inputs)
    assert {one for outputs in MODELS.values() for one in outputs if one.endswith("_figure")} <= read
    for task in ("department", "tags"):
        assert {f"{task}.{name}" for name in report.OF_TASK} <= read
    augmented = {one for one in read if one.split(".")[-1] in report.AUGMENTATION}
    assert {one.split(".")[0] for one in augmented} == {"tags"}


def test_the_distribution_of_a_multilabel_task_has_a_bar_per_label_and_a_panel_of_labels_per_image():
    manifest = pd.DataFrame({"label": ["a|b", "b", "", "a|c"], "split": ["train", "test", "train", "validation"]})
    heights = []
    for kind in ("multiclass", "multilabel"):
        drawn = plot_distribution(manifest, TaskOptions(label="tags", kind=kind))
        with Image.open(io.BytesIO(drawn)) as image:
            assert image.width == 9 * DPI
            heights.append(image.height / DPI)
    bars = 0.3  # inches each: the four texts as classes, and three labels
    assert heights[1] - heights[0] == pytest.approx(2.2 - bars, abs=0.02)
