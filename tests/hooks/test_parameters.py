"""What a record says of a run, before there is one."""

from types import SimpleNamespace

import pytest
import yaml

from art_pipeline.hooks.parameters import find_overrides

WRITTEN = {"net": {"random_augmentation": {"rotation": 8}, "weights": None}}


@pytest.mark.parametrize(
    ("used", "overrides"),
    [
        (WRITTEN, {}),
        ({"net": {"random_augmentation": {"rotation": 9}, "weights": None}}, {"net.random_augmentation.rotation": 9}),
        ({"net": {"random_augmentation": {}, "weights": None}}, {"net.random_augmentation": {}}),
        ({"net": {"random_augmentation": None, "weights": None}}, {"net.random_augmentation": None}),
        ({"net": {"random_augmentation": {"rotation": 8}, "weights": {}}}, {"net.weights": {}}),
    ],
)
def test_what_is_set_past_the_file_is_found_be_it_empty(used, overrides, tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(WRITTEN))
    context = SimpleNamespace(project_path=tmp_path, config_loader={"parameters": used})
    assert find_overrides(context) == overrides


def test_a_key_that_an_environments_list_leaves_out_has_its_default(tmp_path):
    source = {"source": "met", "base_url": "sample://museum", "attempts": 8}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"sources": [source | {"seed": 5}]}))
    context = SimpleNamespace(project_path=tmp_path, config_loader={"parameters": {"sources": [source]}})
    assert find_overrides(context) == {"sources.0.seed": 0}
    context.config_loader["parameters"] = {"sources": [{"source": "folder", "folder": "mine", "seed": 5}]}
    assert find_overrides(context) == {"sources.0.source": "folder", "sources.0.folder": "mine"}
