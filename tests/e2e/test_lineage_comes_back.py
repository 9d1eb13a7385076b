"""A record is restored with its result by any DVC command; a record that no run wrote is broken."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import yaml

from art_pipeline.evaluation.metrics import compute_metrics
from art_pipeline.lineage.digest import digest

MODEL = "data/08_reporting/bow_svm"
RECORD, METRICS = f"{MODEL}/lineage.json", f"{MODEL}/metrics.json"
PREDICTIONS = "data/07_model_output/bow_svm/predictions.parquet"


def with_words(project, words):
    """Another number of words, run and kept by DVC."""
    parameters = yaml.safe_load((project.path / "params.yaml").read_text())
    parameters["bow_svm"]["vocabulary"]["words"] = words
    (project.path / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    project.do("dvc", "repro")


def words_in(project):
    return json.loads(project.ask("lineage", "show", "bow_svm", "--format", "json"))["steps"]["bow_svm.train"][
        "parameters"
    ]["bow_svm"]["vocabulary"]["words"]


@pytest.fixture(scope="module")
def two(kept, tmp_path_factory):
    """A project with a second result on a branch, and a remote that has both."""
    project = kept.copy(tmp_path_factory.mktemp("two") / "project")
    project.do("dvc", "remote", "add", "--default", "store", str(project.path.parent / "store"))
    project.commit("A remote")
    project.git("checkout", "--quiet", "-b", "fewer")
    with_words(project, 30)
    project.commit("Fewer words")
    project.do("dvc", "push", "--all-branches")
    return project


@pytest.mark.slow
class TestComesBack:
    def test_with_a_change_of_branch_and_back(self, two, tmp_path):
        project = two.copy(tmp_path / "project")
        of_the_run = (project.path / RECORD).read_text()
        assert "0 missing, 0 broken" in project.ask("lineage", "verify", "bow_svm")
        project.git("checkout", "--quiet", "main")
        project.do("dvc", "checkout", "--force")
        said = project.ask("lineage", "verify", "bow_svm")
        assert "0 missing, 0 broken" in said
        assert "skipped MLflow" in said
        assert words_in(project) == 50
        card = (project.path / MODEL / "model_card.md").read_text()
        assert json.loads((project.path / METRICS).read_text())["n"] > 0 and "vocabulary.words` | `50`" in card
        project.git("checkout", "--quiet", "fewer")
        project.do("dvc", "checkout", "--force")
        assert "0 missing, 0 broken" in project.ask("lineage", "verify", "bow_svm")
        assert (project.path / RECORD).read_text() == of_the_run

    def test_in_a_colleagues_clone_by_pull_alone(self, two, tmp_path):
        clone = two.clone(tmp_path / "clone")
        clone.do("dvc", "pull")
        assert not (clone.path / RECORD).exists()
        said = clone.ask("lineage", "verify", "bow_svm")
        assert "0 missing, 0 broken" in said
        record = json.loads((clone.path / RECORD).read_text())
        assert record["rebuilt"]
        assert record["source"]["commit"] == clone.git("rev-parse", "HEAD").strip()
        assert "fewer words" in clone.git("show", "--no-patch", record["source"]["commit"]).lower()
        assert "vocabulary.words` | `30`" in (clone.path / MODEL / "model_card.md").read_text()
        assert "recomputed artifacts are identical" in clone.do("kedro", "lineage", "reproduce", "bow_svm")
        clone.ask("lineage", "export", "bow_svm", str(tmp_path / "crate"))

    def test_it_claims_the_commit_that_lists_it_and_not_a_later_one(self, two, tmp_path):
        clone = two.clone(tmp_path / "clone")
        lists_it = clone.git("rev-parse", "HEAD").strip()
        (clone.path / "dvc.lock").write_text((clone.path / "dvc.lock").read_text().replace("schema", "schema", 1))
        clone.git("rm", "--quiet", "dvc.lock")
        clone.git("commit", "--quiet", "--message", "No lock")
        clone.git("checkout", "--quiet", lists_it, "--", "dvc.lock")
        clone.do("dvc", "pull")
        said = clone.ask("lineage", "verify", "bow_svm")
        assert json.loads((clone.path / RECORD).read_text())["source"]["commit"] == lists_it, said

    def test_after_a_change_of_code_upstream_that_changes_no_data(self, two, tmp_path):
        """DVC runs the stage again, and not the model."""
        project = two.copy(tmp_path / "project")
        code = project.path / "src/art_pipeline/sources/apis/met_departments.py"
        code.write_text(code.read_text() + "\n# a comment\n")
        project.do("dvc", "repro")
        project.commit("A comment")
        assert "0 missing, 0 broken" in project.ask("lineage", "verify", "bow_svm")

    def test_it_is_not_proven_where_no_commit_lists_it(self, two, tmp_path):
        project = two.copy(tmp_path / "project")
        shutil.rmtree(project.path / ".git")
        lock = project.path / "dvc.lock"
        lock.rename(tmp_path / "dvc.lock")
        project.git("init", "--quiet")
        project.commit("Without results")
        (tmp_path / "dvc.lock").rename(lock)
        (project.path / RECORD).unlink()
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "missing code of commit: no commit's dvc.lock lists this result" in said
        assert "0 broken" in said

    def test_a_remote_that_refuses_is_quoted(self, two, tmp_path):
        clone = two.clone(tmp_path / "clone")
        clone.do("dvc", "pull")
        record = clone.ask("lineage", "show", "bow_svm", "--format", "json")
        clone.do("dvc", "remote", "modify", "--local", "store", "url", "s3://nowhere/at-all")
        clone.do("dvc", "remote", "modify", "--local", "store", "endpointurl", "http://127.0.0.1:9")
        shutil.rmtree(clone.path / ".dvc" / "cache")
        shutil.rmtree(clone.path / "data" / "02_intermediate" / "images")
        said = clone.ask("lineage", "verify", "bow_svm", check=False)
        assert record
        assert "missing images" in said
        assert "DVC's remote cannot be used" in said
        assert "Traceback" not in said


class TestNoRunWroteIt:
    @pytest.fixture
    def project(self, kept, tmp_path):
        """One whose runs MLflow knows."""
        return replace(kept.copy(tmp_path / "project"), tracked=True)

    def improve(self, project):
        """Make every prediction right, and the metrics, the record and its digests agree with that."""
        table = pd.read_parquet(project.path / PREDICTIONS)
        names = [name for name in table if name.startswith("p:")]
        table[names] = [[float(name == f"p:{label}") for name in names] for label in table["label"]]
        table.to_parquet(project.path / PREDICTIONS)
        record = json.loads((project.path / RECORD).read_text())
        evaluate = record["steps"]["bow_svm.compute_metrics"]["parameters"]["evaluate"]
        metrics = compute_metrics(table, bootstrap=evaluate["bootstrap"], seed=evaluate["seed"])
        (project.path / METRICS).write_text(json.dumps(metrics))
        self.rewrite(project, record)

    def rewrite(self, project, record):
        for path, digests in ((PREDICTIONS, "predictions"), (METRICS, "metrics")):
            for step in record["steps"].values():
                for side in ("reads", "writes"):
                    if f"bow_svm.{digests}" in step[side]:
                        step[side][f"bow_svm.{digests}"]["digest"] = digest(project.path / path)
        (project.path / RECORD).write_text(json.dumps(record, indent=1) + "\n")

    def test_a_record_edited_together_with_its_artifacts(self, project):
        self.improve(project)
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  record: no run wrote this record: bow_svm.classify_selectively, bow_svm.compute_metrics" in said
        assert "broken  bow_svm.predictions" in said and "broken  bow_svm.metrics" in said

    def test_and_with_its_ledger(self, project):
        self.improve(project)
        record = json.loads((project.path / RECORD).read_text())
        own = {name: step for name, step in record["steps"].items() if step["stage"] == "bow_svm"}
        (project.path / "data/08_reporting/lineage/bow_svm.json").write_text(json.dumps(own, indent=1))
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  dvc.lock: it lists another outcome: bow_svm.predict (the same work)" in said

    def test_a_digest_in_the_record_alone(self, project):
        text = (project.path / RECORD).read_text()
        (project.path / RECORD).write_text(text.replace(digest(project.path / PREDICTIONS), "0" * 32))
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  record: no run wrote this record" in said
        assert "1 broken" in said

    @pytest.mark.parametrize("content", ["", "[" * 100_000, "\udcff\udcfe", "[1]", '{"version": 1}'])
    def test_a_record_that_cannot_be_read(self, project, content):
        (project.path / RECORD).write_text(content, errors="surrogateescape")
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  record: " in said
        assert "1 broken" in said
        assert "proven  department.manifest" in said

    def test_a_ledger(self, project):
        ledger = project.path / "data/08_reporting/lineage/features_sift.json"
        ledger.write_text(ledger.read_text().replace("features_sift.extract", "features_sift.other"))
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  ledgers: features_sift.extract, features_sift.other differ from the record" in said
        ledger.write_text("{")
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  ledgers: The ledger features_sift.json cannot be read" in said

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda text, md5: text.replace(md5, "0" * 32), "it lists another outcome: data/07_model_output"),
            (lambda text, _: text.replace("path: data/07", "path: data/77"), "it lists another outcome: data/07_model"),
            (lambda _, __: "stages: [", "dvc.lock is damaged"),
            (lambda _, __: "", "dvc.lock is damaged"),
        ],
    )
    def test_dvcs_lock(self, project, change, told):
        lock = project.path / "dvc.lock"
        lock.write_text(change(lock.read_text(), digest(project.path / PREDICTIONS)))
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert f"broken  dvc.lock: {told}" in said
        assert "1 broken" in said

    def test_dvcs_lock_gone(self, project):
        (project.path / "dvc.lock").unlink()
        assert "broken  dvc.lock: it is missing" in project.ask("lineage", "verify", "bow_svm", check=False)

    def test_the_catalog(self, project):
        catalog = project.path / "conf/base/catalog/08_reporting.yml"
        catalog.write_text(catalog.read_text().replace("save_args: {indent: 2}", "save_args: {indent: 4}"))
        said = project.ask("lineage", "verify", "bow_svm", check=False)
        assert "broken  code here: conf/base/catalog/08_reporting.yml differs from what ran" in said
        assert "1 broken" in said


def test_files_that_no_run_depends_on_do_not_make_it_uncommitted(changing):
    (changing.path / "new").mkdir()
    (changing.path / "new" / "photograph.jpg").write_bytes(b"a photograph")
    (changing.path / "dist").mkdir()
    (changing.path / "dist" / "art_pipeline.whl").write_bytes(b"a package")
    changing.do("kedro", "run", "--tags", "evaluate", "--pipelines", "bow_svm")
    record = json.loads((changing.path / RECORD).read_text())
    assert record["source"]["changes"] is None
    assert record["tracked"] is False
    said = changing.ask("lineage", "verify", "bow_svm")
    assert "0 missing, 0 broken" in said
    assert "skipped MLflow: the result ran with tracking off" in said


def test_files_that_a_run_depends_on_are_named_by_verify_and_reproduce(changing):
    code = changing.path / "src/art_pipeline/features/sift.py"
    code.write_text(code.read_text() + "\n# a comment\n")
    changing.do("kedro", "run", "--pipelines", "features_sift,bow_svm")
    record = json.loads((changing.path / RECORD).read_text())
    assert record["source"]["files"] == ["src/art_pipeline/features/sift.py"]
    said = changing.ask("lineage", "verify", "bow_svm", check=False)
    assert "missing code of commit" in said and "features/sift.py: ran with changes that were not committed" in said
    said = changing.ask("lineage", "reproduce", "bow_svm", check=False)
    assert "differ from its commit" in said and "src/art_pipeline/features/sift.py" in said


def test_a_project_without_git_still_runs_and_says_once_that_nothing_is_proven_to_a_commit(changing):
    shutil.rmtree(changing.path / ".git")
    said = changing.do("kedro", "run", "--pipelines", "subset,augment,features_sift,bow_svm")
    assert said.count("cannot be traced to a commit") == 1
    assert "not a git repository" in said
    said = changing.ask("lineage", "verify", "bow_svm", check=False)
    assert "0 broken" in said
    assert "missing code of commit: this is not a git repository" in said
    assert "not a git repository" in changing.ask("lineage", "reproduce", "bow_svm", check=False)


def test_after_a_change_of_source_the_record_holds_its_own_sources_files_and_others_are_stale(changing):
    """The second source is the sample museum again, under another address and with another draw."""
    before = json.loads((changing.path / RECORD).read_text())["steps"]
    parameters = yaml.safe_load((changing.path / "params.yaml").read_text())
    parameters["sources"][0] |= {"base_url": "sample://other/public/collection/v1", "seed": 1}
    (changing.path / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    changing.do("kedro", "run", "--pipelines", "scrape,download,subset")
    said = changing.ask("lineage", "show", "bow_svm")
    assert "Stale: bow_svm was trained on sample://museum/public/collection/v1" in said
    assert "the current source is sample://other/public/collection/v1" in said
    said = changing.ask("lineage", "verify", "bow_svm", check=False)
    assert "Stale: bow_svm" in said and "broken  params.yaml here: sources.0.base_url" in said
    changing.do("kedro", "run", "--pipelines", "features_sift,bow_svm")
    after = json.loads((changing.path / RECORD).read_text())["steps"]
    assert "Stale" not in changing.ask("lineage", "show", "bow_svm")
    for node, name in (
        ("list_objects", "listings"),
        ("scrape_records", "records"),
        ("download_images", "source_images"),
    ):
        one, other = before[node]["writes"][name], after[node]["writes"][name]
        assert one["path"] == other["path"] and one["sources"] != other["sources"]
        here = [file for file in (changing.path / other["path"]).rglob("*") if file.is_file()]
        assert len(here) == one["files"] + other["files"]
