import base64
import io
import json
import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from art_pipeline.errors import EvaluationError
from art_pipeline.evaluation.costs import Costs, table_of_mistakes
from art_pipeline.evaluation.metrics import compute_metrics, per_class_table
from art_pipeline.evaluation.predictions import make_predictions
from art_pipeline.evaluation.report.contents import Collection, ModelResult, Report, TaskResult
from art_pipeline.evaluation.report.page import render_report
from art_pipeline.evaluation.selective import MAX_COST, selective_table
from art_pipeline.evaluation.significance import COLUMNS, COST_COLUMNS, LABEL_COLUMNS

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "img", "br", "link", "wbr"}


def tiny_png(shade=0):
    buffer = io.BytesIO()
    Image.new("L", (30, 15), shade).save(buffer, format="PNG", dpi=(144, 144))
    return buffer.getvalue()


def model(name="bow_svm", seed=0, classes=("a", "b", "c"), **changes):
    return result(name, seed, tables(seed, classes), changes)


def label_model(name="tags_svm", seed=0, labels=("gold", "silk", "wood"), **changes):
    """A model of a multi-label task."""
    return result(name, seed, label_tables(seed, labels), changes)


@cache
def tables(seed, classes):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(len(classes)), 60)
    labels = rng.choice(np.array(classes, dtype=object), 60)
    return evaluated(predictions(labels, probabilities, classes))


@cache
def label_tables(seed, labels):
    rng = np.random.default_rng(seed)
    true = rng.random((60, len(labels))) < 0.4
    joined = ["|".join(np.array(labels, dtype=object)[row]) for row in true]
    probabilities = np.clip(0.5 * true + rng.random(true.shape) / 2, 0, 1)
    return evaluated(predictions(joined, probabilities, labels, thresholds=[0.5] * len(labels)))


def predictions(labels, probabilities, classes, thresholds=None):
    """Half of the rows are of the test split."""
    splits = ["test", "validation"] * (len(labels) // 2)
    rows = pd.DataFrame({"object_id": range(len(labels)), "label": labels, "split": splits})
    return make_predictions(rows, probabilities, classes, origins="held_out", thresholds=thresholds)


def evaluated(table):
    return {
        "metrics": compute_metrics(table, bootstrap=20),
        "per_class": per_class_table(table),
        "selective": selective_table(table, target_accuracy=0.5),
    }


def result(name, seed, results, changes):
    parts = {
        "figures": {"confusion_matrix": tiny_png(seed), "learning_curve": tiny_png(9)},
        "details": {"learning rate": 0.0003, "predictions": f"data/{name}.parquet", "grid": {"C": [1, 10]}},
    }
    return ModelResult(name=name, **(results | parts | changes))


METRICS = model().metrics


def task(**changes):
    parts = {
        "name": "department",
        "label": "department",
        "kind": "multiclass",
        "options": {"split": {"test": 0.2}},
        "funnel": [
            ("Listed", 2000),
            ("Usable image and label", 900),
            ("Selected", 500),
            ("train split", 400),
            ("test split", 100),
        ],
        "decisions": pd.DataFrame({"Decision": ["selected", "rare class"], "Objects": [500, 400]}),
        "distribution": pd.DataFrame({"train": [8, 1200], "test": [2, 3]}, index=["a", "b"]),
        "significance": pd.DataFrame([("bow_svm", "alexnet", 5, 2, 0.453)], columns=COLUMNS),
        "models": [model("bow_svm"), model("alexnet", seed=1)],
        "figures": {"class_distribution": tiny_png()},
    }
    return TaskResult(**(parts | changes))


def label_task(**changes):
    parts = {
        "name": "tags",
        "label": "tags",
        "kind": "multilabel",
        "significance": pd.DataFrame([("tags_svm", "tags_head", 0.05, 0.01, 0.09, 0.0123)], columns=LABEL_COLUMNS),
        "models": [label_model("tags_svm"), label_model("tags_head", seed=1)],
    }
    return task(**(parts | changes))


def render(tasks=None, **changes):
    """Render a page; what is said of a task changes the only one."""
    of_task = {key: changes.pop(key) for key in TaskResult.__dataclass_fields__.keys() & changes.keys()}
    parts = {
        "title": "Two departments",
        "notice": None,
        "collection": Collection(
            funnel=[("listed", 2000), ("kept", 500)],
            statuses={"Images": pd.DataFrame({"status": ["ok", "damaged"], "objects": [1950, 50]})},
        ),
        "tasks": [task(**of_task)] if tasks is None else tasks,
        "target_accuracy": 0.95,
        "target_cost": None,
        "parameters": {"museum": {"base_url": "https://museum.example"}, "seed": np.int64(7)},
        "provenance": {"parameters": "sha256:ab12", "seed": 20000},
    }
    return render_report(Report(**(parts | changes)))


class Page(HTMLParser):
    """Checks that tags close in order, and keeps elements and visible text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def position(self, **attributes):
        """How many elements stand before the first one with these attributes."""
        for i, (_, attrs) in enumerate(self.elements):
            if attributes.items() <= attrs.items():
                return i
        raise AssertionError(f"There is no element with {attributes}.")


@given(st.text(min_size=1).filter(str.strip))
@settings(max_examples=15, deadline=None)
def test_any_text_is_shown_as_text(text):
    """Whatever a museum writes, the page's elements stay the same."""
    plain = Page(render(models=[model()]))
    page = Page(render(title=text, notice=text, models=[model(name=text, classes=("a", "b", text + "c"))]))
    expected = [tag for tag, _ in plain.elements]
    found = [tag for tag, _ in page.elements]
    assert found.count("script") == expected.count("script") == 1
    assert found.count("td") == expected.count("td")


def test_the_same_input_gives_the_same_page():
    assert render() == render()


def test_every_models_numbers_are_there():
    models = [model("bow_svm"), model("alexnet", seed=1)]
    text = " ".join(Page(render(models=models)).text)
    for one in models:
        assert one.name in text
        for key in ("accuracy", "f1_macro", "roc_auc_ovr", "log_loss"):
            assert f"{one.metrics[key]:.3f}" in text
            assert f"{one.metrics['interval_95'][key]['low']:.3f}" in text
        for recall in one.per_class["recall"]:
            assert f"{recall:.3f}" in text


def test_the_best_of_a_column_is_marked_also_where_two_are_equal():
    def scored(name, accuracy, loss):
        values = dict.fromkeys(model().metrics, None) | {"n": 30, "accuracy": accuracy, "log_loss": loss}
        return model(name, metrics=values | {"interval_95": {}})

    page = render(models=[scored("one", 0.8001, 2.0), scored("two", 0.8002, 1.0), scored("three", 0.7, 3.0)])
    rows = re.findall(r"<tr><th scope=\"row\"><a.*?</tr>", page, flags=re.DOTALL)[1:]  # the first is the task's
    assert [row.count("(best)") for row in rows] == [1, 2, 0]  # 0.800 twice, and the lower loss


@pytest.mark.parametrize(("difference", "marked"), [(0.1, 1), (float("nan"), 0)], ids=["same costs", "other costs"])
def test_the_lowest_mean_cost_is_best_only_among_the_same_costs(difference, marked):
    models = [model(name, metrics=METRICS | {"mean_cost": cost}) for name, cost in (("one", 0.2), ("two", 0.1))]
    compared = pd.DataFrame([("one", "two", 5, 2, 0.4, difference, 0.0, 0.2, 0.3)], columns=COLUMNS + COST_COLUMNS)
    page = render(models=models, significance=compared)
    assert page.count("(best)") == marked


def test_where_all_are_equal_none_is_best():
    assert "(best)" not in render(models=[model(name, metrics=METRICS) for name in ("one", "two", "three")])


def test_a_single_model_is_not_called_best():
    page = render(models=[model()], figures={"comparison": tiny_png()})
    assert "(best)" not in page
    assert "Comparison, all models of department." not in page


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=7))
@settings(max_examples=20, deadline=None)
def test_the_table_begins_with_the_most_accurate_and_leads_to_each(thousandths):
    """Equally accurate models keep their order."""
    models = [model(f"no. {i}", metrics=METRICS | {"accuracy": n / 1000}) for i, n in enumerate(thousandths)]
    rows = re.findall(r'<tr><th scope="row"><a href="#model-(\d+)">no. (\d+)</a>', render(models=models))
    expected = sorted(range(len(models)), key=lambda i: -thousandths[i])
    assert rows == [(str(i + 1), str(i)) for i in expected]


def test_the_table_can_be_sorted_where_there_is_a_choice():
    for models, tables in (([model()], 1), ([model("a"), model("b")], 3)):  # the rest are the classes
        page = Page(render(models=models))
        assert len([one for one in page.all("table") if "sortable" in one.get("class", "")]) == tables
        first = [head["data-first"] for head in page.all("th") if "data-first" in head]
        assert first == ["descending"] * 6 + ["ascending"] * 2


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"original": 1256, "generated": 3768}, "1,256 images + 3,768 augmented"),
        ({"original": np.int64(256), "generated": 0}, "256 images"),
        ({"original": 256, "splits": ["train"]}, "256 images"),
        ({"train": 256}, ""),
        (["train"], ""),
    ],
)
def test_numbers_of_training_images_are_shown_if_known(counts, told):
    one = model(details={"trained_on": counts})
    assert one.trained_on == told
    page = render(models=[one])
    assert (f'<span class="note">{told}</span>' in page) == bool(told)
    assert ("Trained on" in page) == bool(told)


def test_a_measure_that_older_metrics_lack_is_undefined():
    older = {key: value for key, value in METRICS.items() if key != "expected_calibration_error"}
    page = render(models=[model("new"), model("old", metrics=older)])
    assert page.count(">\N{EN DASH}</span>") == 2  # in the table, and above the model's figures


def test_costs_are_shown_where_a_model_has_them():
    assert "Mean cost" not in render(models=[model("svm")])
    page = render(models=[model("svm"), model("careful", metrics=METRICS | {"mean_cost": 0.25, "cost_saved": 0.05})])
    assert page.count(">Mean cost<") == 3  # head of the table, definition, and above the figures of the one model


def test_the_mistakes_that_cost_most_are_shown_with_the_rule_of_the_model():
    classes = ["a", "b", "c"]
    confusion = pd.DataFrame([[9, 2, 1], [0, 9, 4], [0, 0, 9]], classes, classes)
    costs = Costs(tuple(classes), np.array([[0, 3, 1], [1, 0, 1], [1, 1, 0.0]]))
    mistakes = table_of_mistakes(confusion, costs)
    assert mistakes.to_numpy().tolist() == [["a", "b", 2, 3.0, 6.0], ["b", "c", 4, 1.0, 4.0], ["a", "c", 1, 1.0, 1.0]]
    measured = METRICS | {"mean_cost": 0.25, "mean_cost_likeliest": 0.5, "accuracy_likeliest": 0.875}
    page = render(models=[model("careful", metrics=measured, mistakes=mistakes, rule="least_cost")])
    assert "Its 7 wrong predictions of test images cost 11 in total" in page
    assert "0.500 per image, with an accuracy of 0.875" in page
    assert 'id="careful-costs"' in page or '-costs"' in page
    assert "Costs of mistakes" not in render(models=[model("svm")])


def test_learning_curves_are_between_headline_and_classes():
    page = Page(render(models=[model("bow_svm"), model("alexnet", figures={"learning_curves": tiny_png()})]))
    heading = page.position(id="model-2-learning_curves")
    assert page.position(id="model-2") < heading < page.position(id="model-2-classes")
    assert [one["href"] for one in page.all("a") if "learning_curves" in one["href"]] == ["#model-2-learning_curves"]
    assert "The ring marks the epoch with the lowest validation loss." in " ".join("".join(page.text).split())


def test_what_was_generated_is_shown_with_the_data_after_the_split():
    names = ["augmentation_examples", "comparison", "anything_else", "augmentation", "class_distribution"]
    page = Page(render(figures={name: tiny_png() for name in names}))
    order = ["comparison", "class_distribution", "augmentation", "augmentation_examples", "anything_else"]
    alts = [image["alt"] for image in page.all("img")[:5]]
    assert alts == [f"{name.replace('_', ' ').capitalize()}, all models of department." for name in order]
    assert page.position(alt=alts[0]) < page.position(id="task-1-data") < page.position(alt=alts[1])
    assert page.position(alt=alts[4]) < page.position(id="model-1")
    assert "augmented images generated from them" in "".join(page.text)


def test_what_was_not_generated_is_not_mentioned():
    assert "ugmentation" not in "".join(Page(render()).text)


def test_every_model_is_one_jump_away():
    page = Page(render())
    links = [one["href"] for one in page.all("a")]
    best = 1 + (METRICS["accuracy"] < model(seed=1).metrics["accuracy"])
    for i in (1, 2):
        # in the bar of sections, in the table of models and, if it is the best, in the table of tasks
        assert links.count(f"#model-{i}") == 2 + (i == best)
    assert "#model-1-details" in links
    assert "#model-1-details" not in [one["href"] for one in Page(render(models=[model(details={})])).all("a")]


def test_details_are_folded_and_written_for_people_and_exactly():
    details = {
        "parameters": 62378344,
        "seed": 62378344,
        "val_loss": 1.0990480184555054,
        "weights": None,
        "optimizer": {"learning_rate": 1e-05, "betas": [0.9, 0.999], "schedule": {"kind": "cosine"}},
        "phases": [{"layers_open": 2, "learning_rate": 1e-05}, {"layers_open": 9, "learning_rate": 0.001}],
        "empty": [],
        "folds": [[1, 2], [3]],
    }
    page = Page(render(models=[model(details=details)]))
    assert page.position(id="model-1-details", **{"class": "more"})
    text = "|".join(part.strip() for part in page.text if part.strip())
    assert "parameters|62,378,344|seed|62378344|val loss|1.09905|weights|\N{EN DASH}|" in text
    assert "|learning rate|1e-05|betas|0.9, 0.999|schedule|kind|cosine|" in text
    assert "|layers open|learning rate|2|1e-05|9|0.001|empty|none|folds|- - 1" in text


def test_photographs_are_embedded_lightly_and_drawings_exactly():
    noise = np.random.default_rng(0).normal(0, 30, (400, 400, 1)) + np.array([170, 128, 90])
    noise = noise.clip(0, 255).astype(np.uint8)
    drawing = np.repeat(np.random.default_rng(1).integers(0, 256, (400, 50, 3), np.uint8), 8, axis=1)
    figures = {"prediction_examples": noise, "confusion_matrix": drawing}
    written = {name: io.BytesIO() for name in figures}
    for name, pixels in figures.items():
        Image.fromarray(pixels).save(written[name], format="PNG", dpi=(144, 144))
    page = render(models=[model(figures={name: one.getvalue() for name, one in written.items()})])
    embedded = [base64.b64decode(one, validate=True) for one in re.findall(r"data:image/webp;base64,([^\"]+)", page)]
    assert page.count("data:image/") == len(embedded) == 3
    assert sum(map(len, embedded)) < len(written["prediction_examples"].getvalue()) / 2
    shown = [np.asarray(Image.open(io.BytesIO(one)).convert("RGB")).astype(int) for one in embedded]
    shown = [one for one in shown if one.shape == noise.shape]
    assert min(np.abs(one - drawing).max() for one in shown) == 0
    assert min(np.abs(one - noise).mean() for one in shown) < 10


def test_html_in_names_is_escaped():
    page = render(
        title=EVIL,
        notice=EVIL,
        models=[model(name=EVIL, classes=("a", "b", EVIL), details={EVIL: EVIL, "predictions": EVIL})],
        parameters={EVIL: EVIL},
        provenance={EVIL: [EVIL]},
        collection=Collection([(EVIL, 1)], {EVIL: pd.DataFrame({EVIL: [EVIL]})}, pd.DataFrame({EVIL: [EVIL]})),
        name=EVIL,
        label=EVIL,
        options={EVIL: EVIL},
        funnel=[(EVIL, 1)],
        decisions=pd.DataFrame({EVIL: [EVIL]}),
        distribution=pd.DataFrame({EVIL: [1]}, index=[EVIL]),
    )
    assert "<script>alert" not in page
    assert len(Page(page).all("script")) == 1


def test_the_page_loads_nothing():
    page = Page(render())
    references = [value for _, attrs in page.elements for key, value in attrs.items() if key in {"src", "href"}]
    assert references
    assert all(value.startswith(("data:image/webp;base64,", "#")) for value in references)
    assert "url(" not in render()
    assert "@import" not in render()
    assert not re.search(r"https?://(?!museum\.example)", render())
    assert {"default-src 'none'"} <= {
        part.strip() for meta in page.all("meta") for part in meta.get("content", "").split(";")
    }


def test_anchors_lead_somewhere():
    page = Page(render())
    targets = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    assert {attrs["href"][1:] for attrs in page.all("a")} <= targets


def test_images_are_whole_and_described():
    images = Page(render()).all("img")
    assert len(images) == 5  # one of all, two of each model
    for image in images:
        data = base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"), validate=True)
        assert data[:4] == b"RIFF" and data[8:12] == b"WEBP"
        assert (image["width"], image["height"]) == ("20", "10")  # 30 x 15 at 144 dots per inch
        assert image["alt"]


def test_headings_of_tables_have_a_scope():
    page = Page(render())
    assert page.all("th")
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))


@pytest.mark.parametrize(("notice", "shown"), [("Generated images.", 1), (None, 0)])
def test_the_notice_is_a_banner_or_absent(notice, shown):
    page = render(notice=notice)
    assert page.count('class="notice"') == shown
    assert notice is None or notice in page


def test_settings_are_shown_exactly_and_counts_for_readers():
    page = render()
    assert "0.0003" in page
    assert "20000" in page
    assert "1,200" in page
    assert "base_url: https://museum.example\nseed: 7" in page
    assert "25.0%" in page  # 500 kept of 2,000 listed


def test_the_way_back_to_each_number_is_given():
    page = render(models=[model("bow_svm"), model("alexnet", details={})])
    assert 'pd.read_parquet("data/bow_svm.parquet")' in page.replace("&#34;", '"')
    assert "predictions of alexnet" in page


def test_metrics_that_went_through_json_and_undefined_ones_are_shown():
    metrics = json.loads(json.dumps(model().metrics | {"roc_auc_ovr": None}))
    assert ">\N{EN DASH}</span>" in render(models=[model(metrics=metrics)])


@pytest.mark.parametrize("names", [[], ["twin", "twin"]])
def test_names_of_models_must_be_unique(names):
    with pytest.raises(EvaluationError, match="at least one, and each name once"):
        render(models=[model(name) for name in names])


def test_names_of_tasks_must_be_unique_and_each_has_a_model():
    with pytest.raises(EvaluationError, match=r"on the tasks \['department', 'department'\]"):
        render([task(), task(models=[model("other")])])
    with pytest.raises(EvaluationError, match="no models: leave it out"):
        render([task(), label_task(models=[])])


def test_models_without_results_and_stale_ones_are_named():
    page = " ".join(Page(render(without_results=["one", "two"], stale=["old was trained on <a>."])).text)
    assert "Models without results, not shown: one, two." in page
    assert "Out of date: old was trained on <a>. Train the model again before you compare it." in page
    plain = " ".join(Page(render()).text)
    assert "Models without results" not in plain
    assert "Out of date" not in plain


def test_each_task_has_its_part_with_its_own_models_and_metrics():
    tasks = [task(), label_task()]
    html = render(tasks)
    page = Page(html)
    order = [page.position(id=name) for name in ("task-1", "model-1", "model-2", "task-2", "model-3", "model-4")]
    assert order == sorted(order)
    for anchor, one in (("task-1", tasks[0]), ("task-2", tasks[1])):
        menu = re.search(rf'<summary>{one.name}</summary><ul class="menu">(.*?)</ul>', html, re.DOTALL)[1]
        links = re.findall(r'href="#([^"]+)"', menu)
        assert links[:2] == [anchor, f"{anchor}-data"]
        assert len(links) == 2 + len(one.models)
    first, second = html.split('<section id="task-2"')
    assert "Top-5 accuracy" in first
    assert "Top-5 accuracy" not in second
    assert "Coverage error" in second
    assert "Coverage error" not in first


def test_the_overview_names_the_best_model_of_each_task():
    tasks = [task(), label_task()]
    overview = render(tasks).split('id="summary"')[1].split('<section id="data"')[0]
    for one, key in zip(tasks, ("accuracy", "f2_samples"), strict=True):
        best = max(one.models, key=lambda model: model.metrics[key])
        assert best.name.replace("_", "_<wbr>") in overview
        assert f"{best.metrics[key]:.3f}" in overview


def test_f2_of_a_model_that_predicts_nothing_is_shown_where_images_have_no_label():
    silent = "A model that never predicts a label has an F2 per image of"
    images = label_task().models[0].metrics["n"]
    assert f"{silent} 0.500, the share" in render([label_task(unlabelled=images // 2)])
    assert silent not in render([label_task()])


def test_a_multilabel_part_shows_f2_at_each_threshold():
    one = label_model()
    text = "|".join(part.strip() for part in Page(render([label_task(models=[one])])).text if part.strip())
    fixed = [f"{value:.3f}" for value in one.metrics["f2_samples_at"].values()]
    ends = [f"{one.metrics[key]:.3f}" for key in ("f2_samples_global", "f2_samples", "global_threshold")]
    assert "|".join(["tags_svm", *fixed, *ends]) in text


def test_a_multilabel_part_shows_the_thresholds_and_metrics_of_each_label():
    one = label_model()
    text = "|".join(part.strip() for part in Page(render([label_task(models=[one])])).text if part.strip())
    assert "Label|Images|Predicted|Threshold|Precision|Recall|F1|F2|Average precision|ROC AUC" in text
    for _, row in one.per_class.iterrows():
        cells = [str(row["support"]), str(row["predicted"]), "0.500", f"{row['precision']:.3f}"]
        assert "|".join([row["class"], *cells]) in text


def test_a_multilabel_part_without_thresholds_says_how_labels_are_predicted():
    one = label_model()
    without = label_model(per_class=one.per_class.assign(threshold=np.nan))
    text = " ".join(" ".join(Page(render([label_task(models=[without])])).text).split())
    assert "those whose expected F2 is highest with it." in text
    assert "reaches the label's threshold" not in text


def test_models_of_a_multilabel_task_are_compared_by_the_difference_of_f2():
    text = "|".join(part.strip() for part in Page(render([label_task()])).text if part.strip())
    assert "tags_svm|tags_head|0.050|0.010 to 0.090|0.012" in text


def test_a_model_without_images_to_choose_thresholds_on_accepts_nothing():
    table = model().selective.assign(accepted=0, coverage=0.0, accuracy=np.nan, threshold=np.nan, chosen_on=0)
    text = " ".join("".join(Page(render(models=[model(selective=table)])).text).split())
    assert "no threshold can be chosen: no prediction is accepted" in text
    unreachable = table.assign(chosen_on=5)
    text = " ".join("".join(Page(render(models=[model(selective=unreachable)])).text).split())
    assert "No threshold reaches an accuracy of 95%" in text
    costs = unreachable.rename(columns={"threshold": MAX_COST}).assign(mean_cost=np.nan)
    text = " ".join("".join(Page(render(models=[model(selective=costs)], target_cost=0.1)).text).split())
    assert "No threshold reaches a mean cost of 0.1" in text


@pytest.mark.parametrize("tasks", [[task()], [label_task()], [label_task(), task()]])
def test_code_to_recompute_runs_for_the_kinds_of_the_page(tasks):
    """Every function that the page names exists."""
    code = re.search(r'aria-label="Python code">(.*?)</pre>', render(tasks), re.DOTALL)[1]
    imports = [line for line in code.splitlines() if line.startswith(("from ", "import "))]
    names = {}
    exec("\n".join(imports), names)
    for call in re.findall(r"^([a-z_.]+)\(predictions\)", code, re.MULTILINE):
        first, *rest = call.split(".")
        assert callable(getattr(names[first], rest[0]) if rest else names[first])
