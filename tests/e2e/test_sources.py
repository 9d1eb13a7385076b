"""Data sets in files, by the user's commands."""

import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

CLASSES = {"prints": (40, 60, 200), "paintings": (200, 80, 40), "textiles": (60, 180, 60)}


def draw(seed, colour):
    """An image of a colour, with shapes of its own: no two are near-duplicates."""
    rng = np.random.default_rng(seed)
    pixels = np.full((96, 96, 3), colour, np.uint8)
    for _ in range(12):
        x, y, side = rng.integers(0, 80, 3)
        cv2.rectangle(pixels, (int(x), int(y)), (int(x + side), int(y + side)), rng.integers(0, 255, 3).tolist(), 2)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@pytest.fixture
def use(project):
    """Has the project read a data set of eight images a class, or of more, in place of the sample museum."""

    def use(source, files, each=8, **more):
        for number, (name, colour) in enumerate(CLASSES.items()):
            (project.path / "set" / name).mkdir(parents=True, exist_ok=True)
            for one in range(each):
                (project.path / "set" / name / f"{one}.jpg").write_bytes(draw(100 * number + one, colour))
        parameters = yaml.safe_load((project.path / "params.yaml").read_text())
        parameters["sources"] = [{"source": source, "folder": "set", **files}, *more.pop("supplements", ())]
        write_yaml(project.path / "params.yaml", parameters)
        overrides = yaml.safe_load((project.path / "conf/test/parameters.yml").read_text())
        del overrides["sources"]
        task = {"label": "classification", "classes": {"min_images": 5}, "images_per_class": None}
        overrides["tasks"] = {"department": task | more}
        write_yaml(project.path / "conf/test/parameters.yml", overrides)

    return use


def write_yaml(path, content):
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def table(project, name):
    (file,) = project.data.rglob(f"{name}.parquet")
    return pd.read_parquet(file)


def run(project, *arguments):
    result = project.run(*arguments)
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout


def works(project, **changed):
    rows = [(f"{name}/{one}.jpg", name, f"c. {1800 + one}") for name in CLASSES for one in range(8)]
    written = pd.DataFrame(rows, columns=["file", "kind", "when"]).assign(**changed)
    written.to_csv(project.path / "set" / "works.csv", index=False)


def test_a_folder_for_each_class_goes_the_whole_way(use, project):
    use("folder", {"licence": "CC0-1.0"})
    said = run(project)
    assert "folder: 24 objects, 24 images with a label, 3 classes; dropped: none" in said
    manifest = table(project, "manifest")
    assert manifest["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, 8)
    report = (project.data / "08_reporting/report.html").read_text()
    assert "Sample museum" not in report
    assert re.search(r"<th[^>]*>folder</th>\s*<td[^>]*>CC0-1\.0</td>\s*<td[^>]*>24</td>", report)
    credits = pd.read_csv(project.data / "08_reporting/credits.csv")
    assert credits["object_id"].tolist() == manifest["object_id"].tolist()
    assert set(credits["licence"]) == {"CC0-1.0"}
    card = (project.data / "08_reporting/bow_svm/model_card.md").read_text()
    assert "| folder | CC0-1.0 | 24 |" in card
    assert json.loads((project.data / "08_reporting/bow_svm/lineage.json").read_text())["museum"] == "folder:set"
    before = project.files()
    run(project, "--pipelines", "scrape,download,subset,report")
    assert project.files() == before


def test_a_table_and_what_changes_in_it(use, project):
    columns = {"image": "file", "classification": "kind", "object_date": "when"}
    use("table", {"table": "works.csv", "columns": columns, "licence": "public domain"})
    works(project)
    (project.path / "set/prints/7.jpg").unlink()
    said = run(project, "--pipelines", "scrape,download,subset")
    assert "table: 24 objects, 23 images with a label, 3 classes; dropped: 1 missing" in said
    assert set(table(project, "objects")["century"]) == {"18th century", "19th century"}
    works(project, kind=["prints", "drawings"] * 12, when="long ago")
    said = run(project, "--pipelines", "scrape,download")
    assert set(table(project, "objects")["classification"]) == {"prints", "drawings"}


def test_small_classes_are_filled_up_from_another_data_set(use, project):
    further = {"source": "folder", "supplement": True, "folder": "more", "licence": "CC0-1.0"}
    use("folder", {"licence": "CC0-1.0"}, supplement_to=12, supplements=[further])
    for one in range(6):
        (project.path / "more/textiles").mkdir(parents=True, exist_ok=True)
        (project.path / "more/textiles" / f"{one}.jpg").write_bytes(draw(900 + one, (0, 0, 0)))
    said = run(project, "--pipelines", "scrape,download,subset")
    assert "folder (supplement): 6 objects, 6 images with a label, 1 classes; dropped: none" in said
    manifest = table(project, "manifest")
    added = manifest[manifest["is_supplement"]]
    assert (len(added), set(added["label"]), set(added["split"])) == (4, {"textiles"}, {"train"})
    assert len(list((project.data / "02_intermediate/images").iterdir())) == 30


def test_what_may_not_be_used_is_told(use, project):
    use("folder", {})
    result = project.run("--pipelines", "scrape,download,subset")
    assert result.returncode == 1
    assert "There are no usable images: 24 not_public_domain. If you may use them, set the source's" in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_a_data_set_that_is_not_there_is_told(use, project):
    use("table", {"table": "works.csv"})
    result = project.run("--pipelines", "scrape")
    assert result.returncode == 1
    assert "There is no table set/works.csv. Set folder of the source" in result.stderr


def test_paths_are_relative_to_the_project_from_any_folder(use, project):
    use("folder", {"licence": "CC0-1.0"}, classes={"min_images": 5, "groups": "groups.yml"})
    (project.path / "groups.yml").write_text("prints: on paper\n")
    (project.path / "sketches").mkdir()
    written = []
    for folder in ("sketches", "."):
        result = project.run("--pipelines", "scrape,download,subset", folder=folder)
        assert result.returncode == 0, result.stderr + result.stdout
        assert set(table(project, "manifest")["label"]) == {"on paper", "paintings", "textiles"}
        written.append(project.files())
    assert written[0] == written[1]
    assert list((project.path / "sketches").iterdir()) == []
