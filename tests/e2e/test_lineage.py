"""``verify`` proves a result, and names what was tampered with."""

import json
import shutil
import sqlite3
import sys
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from importlib import metadata

import mlflow
import pandas as pd
import pytest
import yaml
from PIL import Image

from art_pipeline.errors import LineageError, TrackingError
from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.lineage.artifact_store import ArtifactStore, Location
from art_pipeline.lineage.checks import Status
from art_pipeline.lineage.diff import compare_records
from art_pipeline.lineage.digest import digest, digest_bytes
from art_pipeline.lineage.object_history import object_history
from art_pipeline.lineage.record import Record
from art_pipeline.lineage.references import CommitReference, WorkspaceReference
from art_pipeline.lineage.reproduce import Match, reproduce
from art_pipeline.lineage.show import as_mermaid, as_tree
from art_pipeline.lineage.verify import verify
from art_pipeline.tracking.lookup import find_run, record_of_run

RECORD = "data/08_reporting/bow_svm/lineage.json"
ARTIFACTS = (
    "listings", "listing", "records", "objects", "source_images", "image_table", "images", "image_hashes",
    "department.candidates", "department.near_duplicates", "department.selection", "department.manifest",
    "features.sift", "bow_svm.codebooks", "bow_svm.encodings", "bow_svm.model", "bow_svm.out_of_fold",
    "bow_svm.predictions", "bow_svm.metrics", "bow_svm.per_class", "bow_svm.selective", "bow_svm.review",
    "bow_svm.confusion_matrix", "bow_svm.calibration_figure", "bow_svm.class_examples_figure",
    "bow_svm.confusion_matrix_figure", "bow_svm.prediction_examples_figure",
)  # fmt: skip


@pytest.fixture(scope="module")
def project(kept_alone):
    """A committed result, which each test leaves as it was."""
    return kept_alone


@pytest.fixture
def record(project):
    return Record.read(project.path / RECORD)


def links(project, current=True, stored=None, record=None):
    """What does not hold, by name."""
    record = record or Record.read(project.path / RECORD)
    reference = WorkspaceReference if current else CommitReference
    search = Future()
    search.set_result(stored)
    found = verify(reference(record, project.path, ArtifactStore(project.path)), search)
    return {check.name.partition(" (")[0]: check for check in found}


def test_each_folder_of_the_record_has_its_files(record):
    folders = {name: one for name, one in record.artifacts.items() if one.digest.endswith(".dir")}
    assert "features.sift" in folders
    assert [name for name, one in folders.items() if not one.files] == []


def broken(project, **more):
    return {name for name, link in links(project, **more).items() if link.status is Status.BROKEN}


def stored(project):
    return find_run(project.path, None, digest_bytes((project.path / RECORD).read_bytes()))


@contextmanager
def tampered(path):
    """A file or folder that is put back."""
    aside = path.with_name(f"{path.name}.aside")
    copy = shutil.copytree if path.is_dir() else shutil.copy2
    copy(path, aside)
    try:
        yield path
    finally:
        (shutil.rmtree if path.is_dir() else type(path).unlink)(path)
        aside.replace(path)


def flip(path):
    """One bit of one byte, in the middle; in a folder, of its largest file."""
    file = max((one for one in path.rglob("*") if one.is_file()), key=lambda one: one.stat().st_size, default=path)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def improve(predictions, metrics, record):
    """Make every prediction right, and the metrics agree with that."""
    table = pd.read_parquet(predictions)
    names = [name for name in table if name.startswith("p:")]
    table[names] = [[float(name == f"p:{label}") for name in names] for label in table["label"]]
    table.to_parquet(predictions)
    evaluate = record.steps["bow_svm.compute_metrics"].parameters["evaluate"]
    metrics.write_text(json.dumps(compute_metrics(table, bootstrap=evaluate["bootstrap"], seed=evaluate["seed"])))


def test_an_untouched_result_is_proven(project):
    said = project.do("kedro", "lineage", "verify", "bow_svm")
    assert "0 missing, 0 broken" in said
    assert "accuracy" in said


def test_all_that_it_was_made_from_is_in_its_record(record):
    assert set(record.artifacts) == set(ARTIFACTS)
    assert record.source.changes is None
    assert record.overrides == {}
    assert record.steps["subset_department.split_images"].writes == {
        "department.split_images": None
    }  # passed on in memory


def test_the_record_names_no_place_and_no_person(project):
    text = (project.path / RECORD).read_text()
    for word in (str(project.path), "/tmp", "/home", "/root"):
        assert word not in text


def test_mlflows_run_has_the_record_and_tells_how_to_verify(project):
    run = stored(project).run_id
    file, found = record_of_run(project.path, run)
    assert (file.read_text(), found) == ((project.path / RECORD).read_text(), run)
    beside = (project.path / RECORD).parent
    assert file.with_name("model_card.md").read_text() == (beside / "model_card.md").read_text()
    tags = mlflow.MlflowClient(project.store).get_run(run).data.tags
    assert f"kedro lineage verify {run}" in tags["mlflow.note.content"]


def test_it_has_a_record_where_the_museums_answers_are_not_at_hand(changing):
    """As after a pull of what a model reads alone."""
    before = (changing.path / RECORD).with_name("model_card.md").read_text()
    shutil.rmtree(changing.path / "data" / "01_raw")
    another = changing.path / "data" / "01_raw" / "records" / "museum.example-0f.jsonl"
    another.parent.mkdir(parents=True)
    another.touch()
    changing.do("kedro", "run", "--tags", "evaluate")
    commits = [line for line in before.splitlines() if "commit" in line.lower()]
    after = (changing.path / RECORD).with_name("model_card.md").read_text()
    assert commits and set(after.splitlines()) >= set(before.splitlines()) - set(commits)


def test_it_can_be_taken_elsewhere(project, record, tmp_path):
    project.do("kedro", "lineage", "export", "bow_svm", str(tmp_path / "crate"))
    graph = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text())["@graph"]
    told = {one.get("identifier") for one in graph}
    assert {f"md5:{artifact.digest}" for artifact in record.artifacts.values()} <= told
    assert (tmp_path / "crate" / "lineage.json").read_text() == (project.path / RECORD).read_text()
    card = (tmp_path / "crate" / "README.md").read_text()
    assert card == (project.path / RECORD).with_name("model_card.md").read_text()
    assert "kedro lineage verify bow_svm" in card
    assert "is not empty" in project.ask("lineage", "export", "bow_svm", str(tmp_path / "crate"), check=False)


def test_an_alias_of_a_registered_model_leads_to_its_record(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    client, run = mlflow.MlflowClient(copy.store, copy.store), stored(project).run_id
    client.create_registered_model("departments")
    client.create_model_version("departments", f"runs:/{run}/bow_svm", run)
    client.set_registered_model_alias("departments", "champion", "1")
    said = copy.ask("lineage", "show", "departments@champion", "--format", "json")
    assert said == copy.ask("lineage", "show", run, "--format", "json")
    assert "MLflow has no departments@nobody" in copy.ask("lineage", "show", "departments@nobody", check=False)


class TestTampering:
    @pytest.mark.parametrize("half", [0, 1])
    def test_a_byte_of_an_artifact(self, project, record, half):
        """Of every second artifact at once: those are broken, and the others are not."""
        names = ARTIFACTS[half::2]
        with ExitStack() as stack:
            for name in names:
                flip(stack.enter_context(tampered(project.path / record.artifacts[name].path)))
            assert broken(project) & set(ARTIFACTS) == set(names)
        assert broken(project) == set()

    def test_a_row_of_the_split_table(self, project, record):
        with tampered(project.path / record.artifacts["department.manifest"].path) as path:
            table = pd.read_parquet(path)
            table.loc[[0, 1], "split"] = table.loc[[1, 0], "split"].to_numpy()
            table.iloc[::-1].to_parquet(path)
            assert broken(project) == {"department.manifest"}

    def test_an_image_replaced_by_another_valid_one(self, project, record):
        with tampered(project.path / record.artifacts["images"].path) as path:
            first, second, *_ = sorted(path.iterdir())
            Image.open(second).copy().save(first)
            assert broken(project) == {"images"}
            assert first.name in links(project)["images"].message

    def test_predictions_and_metrics_edited_together(self, project, record):
        places = [project.path / record.artifacts[f"bow_svm.{name}"].path for name in ("predictions", "metrics")]
        with tampered(places[0]), tampered(places[1]):
            improve(*places, record)
            found = links(project)
            assert found["metrics from predictions"].status is Status.PROVEN
            assert broken(project) == {"bow_svm.predictions", "bow_svm.metrics"}

    def test_metrics_alone(self, project, record):
        with tampered(project.path / record.artifacts["bow_svm.metrics"].path) as path:
            path.write_text(path.read_text().replace('"accuracy": 0.', '"accuracy": 0.9'))
            found = links(project)
            assert found["metrics from predictions"].status is Status.BROKEN
            assert "accuracy" in found["metrics from predictions"].message

    @pytest.mark.parametrize(
        ("table", "key", "value", "link"),
        [
            ("latest_metrics", "accuracy", 0.99, "MLflow: metrics"),
            ("params", "model.svm.folds", "7", "MLflow: parameters"),
        ],
    )
    def test_mlflows_database(self, project, table, key, value, link):
        with closing(sqlite3.connect(project.path / "mlruns" / "mlflow.db")) as database:
            run = stored(project).run_id
            where = f"from {table} where key = ? and run_uuid = ?"
            [[before]] = database.execute(f"select value {where}", (key, run)).fetchall()
            for now, expected in ((value, {link}), (before, set())):
                change = f"update {table} set value = ? where key = ? and run_uuid = ?"
                assert database.execute(change, (now, key, run)).rowcount == 1
                database.commit()
                assert broken(project, stored=stored(project)) == expected

    def test_mlflows_model(self, project):
        with tampered(stored(project).model) as path:
            flip(path)
            assert broken(project, stored=stored(project)) == {"MLflow: model"}

    def test_a_line_of_code(self, project):
        with tampered(project.path / "src/art_pipeline/features/sift.py") as path:
            path.write_text(path.read_text() + "\n# changed\n")
            assert broken(project) == {"code here"}
            assert "features/sift.py" in links(project)["code here"].message

    def test_code_that_none_of_it_ran(self, project):
        with tampered(project.path / "src/art_pipeline/models/networks/alexnet.py") as path:
            path.write_text(path.read_text() + "\n# changed\n")
            assert broken(project) == set()

    def test_parameters(self, project):
        with tampered(project.path / "params.yaml") as path:
            path.write_text(path.read_text().replace("words: 50", "words: 51"))
            assert broken(project) == {"params.yaml here"}
            assert "bow_svm.vocabulary.words" in links(project)["params.yaml here"].message

    def test_a_package_at_another_version(self, project, monkeypatch):
        version = metadata.version
        changed = "art_pipeline.lineage.environment.version"
        monkeypatch.setattr(changed, lambda name: "0.0" if name == "numpy" else version(name))
        assert broken(project) == {"environment here"}
        assert "numpy 0.0" in links(project)["environment here"].message

    def test_the_record_itself(self, project, record):
        content = record.model_dump(mode="json")
        content["steps"]["features_sift.extract"]["reads"]["images"]["digest"] = "0" * 32 + ".dir"
        edited = Record.model_validate(content)
        assert broken(project, record=edited) == {"steps", "dvc.lock"}

    def test_what_was_removed_is_missing_and_not_broken(self, project, record):
        cache = project.path / ".dvc" / "cache"
        path = project.path / record.artifacts["department.selection"].path
        with tampered(path):
            path.rename(path.with_name("elsewhere"))
            assert links(project)["department.selection"].status is Status.PROVEN
            assert "DVC's cache" in links(project)["department.selection"].message
            cache.rename(project.path / "aside")
            try:
                assert links(project)["department.selection"].status is Status.MISSING
            finally:
                (project.path / "aside").rename(cache)
                path.with_name("elsewhere").rename(path)

    def test_the_command_tells_broken_from_missing_by_its_status(self, project):
        with tampered(project.path / "params.yaml") as path:
            path.write_text(path.read_text().replace("words: 50", "words: 51"))
            said = project.ask("lineage", "verify", "bow_svm", check=False)
            assert said.lstrip().startswith("broken  params.yaml here")


class TestSigned:
    """A key tells a record that was rewritten together with all that it names."""

    @pytest.fixture(scope="class")
    @classmethod
    def signed(cls, project, tmp_path_factory):
        """A copy of the project whose record is signed, and the public key."""
        folder = tmp_path_factory.mktemp("signed")
        copy = project.copy(folder / "project")
        key = folder / "key.pem"
        copy.ask("lineage", "key", str(key))
        assert "Signed: bow_svm, run" in copy.do("kedro", "lineage", "sign", "bow_svm", "--key", str(key))
        return copy, key, key.with_name("key.pem.pub")

    def test_it_is_proven_by_the_public_key_in_the_workspace_and_in_mlflow(self, signed):
        copy, _, public = signed
        for result in ("bow_svm", stored(copy).run_id):
            said = copy.ask("lineage", "verify", result, "--key", str(public))
            assert "proven  signature: by key.pem.pub" in said
        assert "The record is signed. To check" in copy.ask("lineage", "verify", "bow_svm")

    def test_a_record_rewritten_with_what_it_names_breaks_the_signature_too(self, signed, record):
        copy, _, public = signed
        places = {name: copy.path / record.artifacts[f"bow_svm.{name}"].path for name in ("predictions", "metrics")}
        with tampered(places["predictions"]), tampered(places["metrics"]), tampered(copy.path / RECORD):
            improve(places["predictions"], places["metrics"], record)
            text = record.text
            for name, place in places.items():
                text = text.replace(record.artifacts[f"bow_svm.{name}"].digest, digest(place))
            (copy.path / RECORD).write_text(text)
            assert broken(copy) == {"dvc.lock"}  # which keeps another outcome of the same work
            said = copy.ask("lineage", "verify", "bow_svm", "--key", str(public), check=False)
            assert said.startswith("broken  signature: the record is not the signed one")

    def test_what_is_broken_is_not_signed(self, signed):
        copy, key, _ = signed
        with tampered(copy.path / "params.yaml") as path:
            path.write_text(path.read_text().replace("words: 50", "words: 51"))
            said = copy.ask("lineage", "sign", "bow_svm", "--key", str(key), check=False)
        assert "params.yaml here" in said and "nothing was signed" in said

    def test_a_new_record_is_not_signed(self, signed):
        copy, _, public = signed
        copy.git("commit", "--quiet", "--allow-empty", "--message", "Later")
        copy.do("kedro", "run", "--tags", "evaluate")
        said = copy.ask("lineage", "verify", "bow_svm", "--key", str(public), check=False)
        assert "missing signature: the record is not signed" in said


class TestPast:
    """A result whose project has gone on since."""

    @pytest.fixture(scope="class")
    @classmethod
    def gone_on(cls, project, tmp_path_factory):
        """Later commits, other parameters, and a remote that alone has the first result's data."""
        later = project.clone(tmp_path_factory.mktemp("later") / "project")
        shutil.copytree(project.path / "mlruns", later.path / "mlruns", dirs_exist_ok=True)
        for place in (project, later):
            place.do("dvc", "remote", "add", "--local", "--default", "store", str(later.path.parent / "store"))
        project.do("dvc", "push")
        for words in (60, 70, 80):
            parameters = yaml.safe_load((later.path / "params.yaml").read_text())
            parameters["bow_svm"]["vocabulary"]["words"] = words
            (later.path / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
            later.commit(f"{words} words")
        yield later
        (project.path / ".dvc" / "config.local").unlink()  # other tests have remotes of their own

    def test_it_is_proven_from_the_remote_and_its_commit(self, project, gone_on):
        run = stored(project).run_id
        said = gone_on.ask("lineage", "verify", run)
        assert "0 missing, 0 broken" in said
        assert "in DVC's remote" in said or "in DVC's cache" in said

    def test_and_missing_without_them(self, project, tmp_path):
        bare = project.clone(tmp_path / "bare")
        record = Record.read(project.path / RECORD)
        found = links(bare, current=False, record=record)
        assert found["images"].status is Status.MISSING
        assert found["metrics from predictions"].status is Status.MISSING
        assert all(link.status is not Status.BROKEN for link in found.values())

    def test_a_store_fetches_a_folder_with_its_files(self, gone_on, record):
        store = ArtifactStore(gone_on.path)
        assert store.find(record.artifacts["images"]) in {Location.REMOTE, Location.CACHE}
        with store.open(record.artifacts["images"]) as folder:
            assert len(list(folder.iterdir())) == record.artifacts["images"].files


class TestReproduce:
    @pytest.mark.slow
    def test_it_comes_out_identical_after_the_project_has_gone_on(self, project, tmp_path):
        later = project.copy(tmp_path / "later")
        later.git("commit", "--quiet", "--allow-empty", "--message", "Later")
        parameters = later.path / "params.yaml"
        parameters.write_text(parameters.read_text().replace("words: 50", "words: 9"))
        shutil.rmtree(later.path / "data" / "01_raw")  # DVC's cache has it; the museum is not asked
        said = later.do("kedro", "lineage", "reproduce", "bow_svm")
        raw = 3  # listings, records and image files
        again = len(ARTIFACTS) - raw
        assert f"All {again} recomputed artifacts are identical; {raw} source artifacts were copied." in said
        assert "worktree" not in later.git("worktree", "list")

    @pytest.mark.slow
    def test_of_an_environment_with_data_and_lists_of_its_own(self, project, tmp_path):
        other = project.copy(tmp_path / "other")
        settings = {"sources": {0: {"departments": [6, 21]}}, "bow_svm": {"svm": {"C": [1.0, 3.0]}}}
        (other.path / "conf/test/parameters.yml").write_text(yaml.safe_dump(settings))
        other.commit("An environment")
        other.do("kedro", "run", "--env", "test", "--to-outputs", "bow_svm.metrics,bow_svm.review")
        record = Record.read(other.path / "data/test/08_reporting/bow_svm/lineage.json")
        assert record.overrides["sources.0.departments"] == [6, 21]
        assert "0 missing, 0 broken" in other.ask("lineage", "verify", "test/bow_svm")
        assert "test/bow_svm" in other.ask("lineage", "verify", "tset/bow_svm", check=False)
        by_file = other.ask("lineage", "show", "--format", "json", str(other.of_task / "manifest.parquet"))
        assert json.loads(by_file)["overrides"] == record.overrides
        said = other.do("kedro", "lineage", "reproduce", "test/bow_svm")
        assert "recomputed artifacts are identical" in said

    def test_where_it_parts_is_told(self, project, record, monkeypatch):
        def run(folder, nodes):
            assert "download_images" not in nodes and "standardise_images" in nodes
            assert json.loads((folder / "conf/reproduce/parameters.yml").read_text()) == {}
            shutil.copytree(project.path / "data", folder / "data", dirs_exist_ok=True)
            flip(folder / record.artifacts["features.sift"].path)
            metrics = folder / record.artifacts["bow_svm.metrics"].path
            metrics.write_text(json.dumps(json.loads(metrics.read_text())))  # spaces alone

        monkeypatch.setattr("art_pipeline.lineage.reproduce._run", run)
        outcomes = list(reproduce(record, project.path, 1e-6))
        others = {one.name: one.match for one in outcomes if one.match is not Match.IDENTICAL}
        assert others == {"features.sift": Match.DIFFERENT, "bow_svm.metrics": Match.EQUAL}

    def test_what_was_not_committed_cannot_be_brought_back_and_is_named(self, project, record):
        step = record.steps["features_sift.extract"]
        other = step.model_copy(update={"code": {**step.code, "src/art_pipeline/features/sift.py": "0" * 32}})
        edited = record.model_copy(update={"steps": {**record.steps, "features_sift.extract": other}})
        with pytest.raises(LineageError, match=r"differ from its commit .*: src/art_pipeline/features/sift\.py"):
            list(reproduce(edited, project.path, 0))
        assert "code of commit" in " ".join(broken(project, record=edited))

    def test_nor_a_commit_that_is_gone(self, project, record):
        gone = record.model_copy(update={"source": record.source.model_copy(update={"commit": "0" * 40})})
        with pytest.raises(LineageError, match=r"belongs to commit 0000.* git does not have the commit"):
            list(reproduce(gone, project.path, 0))


class TestShow:
    def test_the_tree_leads_from_the_number_to_the_museum(self, project):
        lines = project.do("kedro", "lineage", "show", "bow_svm").splitlines()
        assert lines[0].startswith("bow_svm: accuracy 0.")
        names = [line.split()[0] for line in lines]
        assert {"bow_svm.model", "bow_svm.encodings", "department.manifest", "features.sift", "source"} <= set(names)
        chain = ["bow_svm.metrics", "bow_svm.predictions", "images", "objects"]
        assert sorted(chain, key=names.index) == chain

    def test_it_does_not_import_mlflow(self, project):
        script = "import sys; from kedro.framework.cli.cli import main; sys.argv = ['kedro', *sys.argv[1:]]\n"
        script += "try: main()\nfinally: print('mlflow' in sys.modules)"
        said = project.do(sys.executable, "-c", script, "lineage", "show", "bow_svm")
        assert said.splitlines()[-1] == "False"

    def test_a_diagram_has_every_node_and_artifact(self, record):
        drawn = as_mermaid(record)
        assert all(f'"{node}"' in drawn for node in record.steps)
        assert all(f'(["{name}<br/>' in drawn for name in record.artifacts)

    @pytest.mark.services
    def test_the_page_holds_the_chain_and_unfolds_parameters_and_code(self, project, record, browser, tmp_path):
        file = tmp_path / "page.html"
        file.write_text(project.ask("lineage", "show", "bow_svm", "--format", "html"))
        page = browser.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        named = page.locator(".data b").all_inner_texts()
        assert set(named) == set(record.artifacts)
        folded = page.locator("details", has_text="by bow_svm.train").first
        assert not folded.locator("pre").is_visible()
        folded.locator("summary").click()
        assert "words: 50" in folded.locator("pre").inner_text()
        assert "src/art_pipeline/models/svm/bow_svm.py" in folded.locator("table").inner_text()
        assert asked == [file.as_uri()]

    def test_one_objects_way(self, project, record):
        predictions = pd.read_parquet(project.path / record.artifacts["bow_svm.predictions"].path)
        predictions = predictions[predictions["split"] == "test"].reset_index(drop=True)
        way = dict(object_history(int(predictions["object_id"][0]), record, ArtifactStore(project.path)))
        assert way["record"][0]["status"] == "ok"
        assert way["split"][0]["split"] == "test"
        assert way["prediction"][0]["label"] == predictions["label"][0]
        with pytest.raises(LineageError, match="no object 999999999"):
            dict(object_history(999999999, record, ArtifactStore(project.path)))

    def test_a_file_leads_to_its_record(self, project):
        by_file = project.ask("lineage", "show", "data/06_models/bow_svm", "--format", "json")
        assert json.loads(by_file)["result"] == "bow_svm"
        image = next((project.path / "data/02_intermediate/images").iterdir())
        assert project.ask("lineage", "show", str(image)) == project.ask("lineage", "show", "bow_svm")

    def test_what_is_no_result(self, project):
        assert "Did you mean 'bow_svm'" in project.ask("lineage", "show", "bow_swm", check=False)
        assert "No record names params.yaml" in project.ask("lineage", "show", "params.yaml", check=False)
        with pytest.raises(TrackingError, match="MLflow has no"):
            record_of_run(project.path, "0" * 32)

    def test_a_tree_of_nothing_else(self, record):
        assert as_tree(record).count("source  ") == 1


def test_two_results_differ_in_what_was_changed(project, record, tmp_path):
    other = project.copy(tmp_path / "other")
    table = other.path / record.artifacts["department.manifest"].path
    rows = pd.read_parquet(table)
    rows.loc[0, "split"] = "train" if rows["split"][0] == "test" else "test"
    rows.drop(index=1).to_parquet(table)
    content = record.model_dump(mode="json")
    content["steps"]["bow_svm.train"]["parameters"]["bow_svm"]["vocabulary"]["words"] = 40
    content["steps"]["subset_department.check_leaks"]["writes"]["department.manifest"]["digest"] = digest(table)
    content["steps"]["features_sift.extract"]["code"]["src/art_pipeline/features/sift.py"] = "0" * 32
    content["environment"]["packages"]["numpy"] = "0.0"
    found = dict(compare_records(record, Record.model_validate(content), ArtifactStore(other.path)))
    assert found["parameters"] == ["model.vocabulary.words: 50 → 40"]
    [split] = found["data"]
    assert split.endswith(f": {len(rows)} objects, 0 added, 1 removed, 0 with another label, 1 with another split")
    assert found["code"] == ["src/art_pipeline/features/sift.py"]
    assert found["environment"] == [f"numpy: {record.environment.packages['numpy']} → 0.0"]
    assert all(lines == [] for _, lines in compare_records(record, record, ArtifactStore(other.path)))


def test_the_command_tells_differences(project):
    assert project.do("kedro", "lineage", "diff", "bow_svm", stored(project).run_id).count("the same") == 4
