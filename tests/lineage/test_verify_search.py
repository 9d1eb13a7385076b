"""The check of a model whose values a search found."""

import json
from dataclasses import asdict

import pytest

from art_pipeline.lineage.artifact_store import ArtifactStore
from art_pipeline.lineage.checks import Status
from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.references import CommitReference
from art_pipeline.lineage.verify_search import check_search
from art_pipeline.models.search.trials import JOURNAL, Trial, write_trials

FILE = f"data/08_reporting/large/search/{JOURNAL}"
TRIALS = [
    Trial(0, {"C": 3.0, "fast": True}, "complete", 0.7),
    Trial(1, {"C": 0.5, "fast": True}, "complete", 0.8),
    Trial(2, {"C": 0.1, "fast": False}, "pruned"),
]


@pytest.fixture
def searched(result):
    """The result, whose values are those of trial 1 of a search."""
    store(result, TRIALS)
    name_origin(result)
    return result


def store(result, trials):
    folder = (result.project / FILE).parent
    folder.mkdir(parents=True, exist_ok=True)
    write_trials(folder, "fingerprint", trials)


def name_origin(result, **changes):
    file = result.project / "params.yaml"
    digest = digest_file(result.project / FILE)
    named = {"search": "large", "objective": "accuracy", "trial": 1, "trials": 3, "file": FILE, "digest": digest}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"searched": {"small": named | changes}}))


def check(result):
    return result.verify()["search large"]


def test_search_trial_and_block_are_named(searched):
    checks = searched.verify()
    assert checks["search large"].status is Status.PROVEN
    assert checks["search large"].message == f"trial 1 of 3, the best by accuracy, is the block small ({FILE})"
    assert checks["params.yaml here"].status is Status.PROVEN


def test_other_models_have_no_such_check(result):
    assert not any("search" in name for name in result.verify())


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"C": 0.25}, "small.C is not 0.25 as in trial 1"),
        ({"fast": False}, "small.fast is not False as in trial 1"),
        ({"fast": 1}, "small.fast is not 1 as in trial 1"),
        ({"depth": 3}, "small.depth is not 3 as in trial 1"),
    ],
)
def test_a_trial_with_other_values_than_the_block_is_broken(searched, values, problem):
    other = Trial(1, TRIALS[1].values | values, "complete", 0.8)
    store(searched, [TRIALS[0], other, TRIALS[2]])
    name_origin(searched)
    assert check(searched).status is Status.BROKEN
    assert check(searched).message == f"{problem} ({FILE})"


@pytest.mark.parametrize(
    ("origin", "problem"),
    [
        ({"trial": 0}, "trial 0 is not the best one"),
        ({"trial": 2}, "trial 2 is not the best one"),
        ({"trial": 9}, "trial 9 is not the best one"),
        ({"objective": "log_loss"}, "trial 1 is not the best one"),
        ({"trials": 4}, "3 trials, not 4"),
        ({"trials": 0}, "it cannot be checked: ValidationError"),
        ({"file": "../trials.json"}, "it cannot be checked: ValidationError"),
        ({"file": "/dev/zero"}, "it cannot be checked: ValidationError"),
    ],
)
def test_a_wrong_origin_is_broken(searched, origin, problem):
    name_origin(searched, **origin)
    found = next(one for name, one in searched.verify().items() if name.startswith("search"))
    assert found.status is Status.BROKEN
    assert problem in found.message


def test_trials_that_went_on_are_broken_and_trials_that_are_gone_missing(searched):
    store(searched, [*TRIALS, Trial(3, TRIALS[0].values, "complete", 0.1)])
    assert check(searched).status is Status.BROKEN
    assert "kedro search large" in check(searched).remedy
    (searched.project / FILE).unlink()
    assert check(searched).status is Status.MISSING
    assert FILE in check(searched).message


def test_trials_of_a_past_result_are_found_in_the_cache_of_dvc(searched, commit):
    past = searched.record.source.model_copy(update={"commit": commit(searched.project)})
    record = searched.record.model_copy(update={"source": past})
    digest = digest_file(searched.project / FILE)
    cached = searched.project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    (searched.project / FILE).rename(cached)
    (searched.project / "params.yaml").write_text("{}")
    store_of_files = ArtifactStore(searched.project, remote=False)
    (found,) = check_search(CommitReference(record, searched.project, store_of_files))
    assert asdict(found)["status"] == "proven"
    cached.unlink()
    (found,) = check_search(CommitReference(record, searched.project, store_of_files))
    assert found.status is Status.MISSING
