"""A task that cannot be learnt stops a run before its costly stages."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset

from art_pipeline.errors import SubsetError
from art_pipeline.hooks.tasks import TaskHooks
from art_pipeline.pipeline_registry import stage_pipelines
from art_pipeline.pipelines.parameters import check_blocks

PARAMETERS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
STAGES = stage_pipelines(check_blocks(PARAMETERS))
OBJECTS = pd.DataFrame({"object_id": [1], "status": "ok", "is_supplement": False})  # without any column of a label
CATALOG = DataCatalog({"objects": MemoryDataset(OBJECTS)})


def started(*stages, catalog=CATALOG):
    """Hooks before a run of some stages, or of all."""
    hooks = TaskHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"parameters": PARAMETERS}))
    hooks.before_pipeline_run(sum(STAGES[name] for name in stages or STAGES), catalog)
    return hooks


@pytest.mark.parametrize(
    "stages",
    [["subset_department"], ["download"], ["features_gist"], ["features_gist", "subset_department", "bow_svm"]],
)
def test_a_run_with_a_table_of_objects_stops_before_it_starts(stages):
    with pytest.raises(SubsetError, match=r"^tasks\.department: label: .* no column 'department'"):
        started(*stages)


@pytest.mark.parametrize("stages", [["alexnet"], ["report"], ["augment_department"]])
def test_a_run_that_selects_no_images_starts(stages):
    started(*stages)


def test_the_tasks_that_run_are_checked_and_no_other():
    with pytest.raises(SubsetError, match=r"^tasks\.tags: "):
        started("features_gist", "subset_tags", "tags_svm")


def test_a_run_stops_as_soon_as_it_has_written_the_table():
    hooks = started()
    hooks.after_dataset_saved("listing", OBJECTS)
    with pytest.raises(SubsetError, match=r"^tasks\.department: "):
        hooks.after_dataset_saved("objects", OBJECTS)


def test_a_run_that_only_fetches_records_warns(caplog):
    started("scrape").after_dataset_saved("objects", OBJECTS)
    assert "tasks.tags cannot be used with these objects: label: the objects table has no column 'tags'" in caplog.text


def test_without_a_table_there_is_nothing_to_check():
    started("download", catalog=DataCatalog({}))
