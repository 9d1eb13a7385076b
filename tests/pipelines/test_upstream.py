"""Which stages another one needs."""

from pathlib import Path

import pytest
import yaml

from art_pipeline.pipeline_registry import stage_pipelines
from art_pipeline.pipelines.parameters import check_blocks
from art_pipeline.pipelines.upstream import upstream_stages

PARAMETERS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
STAGES = stage_pipelines(check_blocks(PARAMETERS))


@pytest.mark.parametrize("stage", STAGES)
def test_with_all_that_it_needs_a_stage_needs_only_parameters(stage):
    needed = upstream_stages(STAGES[stage], STAGES)
    whole = sum((STAGES[name] for name in needed), STAGES[stage])
    assert all(name.startswith("param") for name in whole.inputs())
    for name in needed:  # each is needed, by the stage or by another one
        others = sum((STAGES[one] for one in needed if one != name), STAGES[stage])
        assert others.inputs() & STAGES[name].all_outputs()


def test_a_stage_that_has_run_needs_no_other():
    done = {name for stage in ("scrape", "download", "subset_tags") for name in STAGES[stage].all_outputs()}
    needed = upstream_stages(STAGES["tags_svm"], STAGES, done.__contains__)
    assert needed == ["features_colour_moments", "features_gist", "features_inception_v3"]


def test_of_two_pipelines_that_write_the_same_the_smaller_one_counts():
    stages = {"__default__": sum(STAGES.values()), **STAGES, "features": STAGES["features_gist"] + STAGES["scrape"]}
    assert upstream_stages(STAGES["tags_svm"], stages) == upstream_stages(STAGES["tags_svm"], STAGES)
