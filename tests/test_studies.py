"""The blocks of docs/studies.md can be copied into params.yaml."""

import re
from pathlib import Path

import pytest
import yaml

from art_pipeline.pipelines.parameters import check_parameters, models_in

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
SECTIONS = {
    title: yaml.safe_load(block)
    for title, block in re.findall(r"^## (.+)\n(?:(?!^## )[\s\S])*?^```yaml\n([\s\S]*?)^```", PAGE, flags=re.MULTILINE)
}
# Blocks that continue others, as their text says.
AFTER = {
    "B: a small network": ["B: genre with a frozen network"],
    "B: DenseNet-121": ["B: genre with a frozen network"],
    "A: together": ["A: features and an RBF SVM", "A: SIFT"],
    "B: genre, fine-tuned": ["B: genre with a frozen network"],
    "B: style, from genre": ["B: genre with a frozen network", "B: genre, fine-tuned"],
}
MAPPINGS = ("tasks", "features")


PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def copied(*titles):
    """params.yaml with the blocks of these sections."""
    parameters = dict(PARAMETERS)
    for title in titles:
        for key, value in SECTIONS[title].items():
            parameters[key] = {**parameters[key], **value} if key in MAPPINGS else value
    return parameters


@pytest.mark.parametrize("title", SECTIONS)
def test_a_block_can_be_copied(title):
    parameters = copied(*AFTER.get(title, []), title)
    models = models_in(parameters)
    check_parameters(parameters)
    written = [name for name, block in SECTIONS[title].items() if isinstance(block, dict) and "kind" in block]
    assert written
    for name in written:
        own = SECTIONS[title][name]
        assert models[name].task == own["task"]
        assert set(own) <= set(type(models[name]).model_fields)


@pytest.mark.parametrize("title", SECTIONS)
def test_what_is_in_the_parameters_already_is_the_same_there(title):
    for key, block in SECTIONS[title].items():
        if key in MAPPINGS:
            for name in block.keys() & PARAMETERS[key].keys():
                assert block[name].items() <= PARAMETERS[key][name].items()
        else:
            assert key == "sources" or key not in PARAMETERS


@pytest.mark.parametrize("title", AFTER)
def test_a_block_that_continues_another_says_so(title):
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    assert "block above" in section or "blocks above" in section


def test_each_section_has_a_block_and_a_row_of_the_table():
    assert list(SECTIONS) == re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    linked = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert len(linked) == len(SECTIONS)
    for study in "ABCDE":
        assert f"\n| {study}: " in PAGE


def test_all_blocks_fit_together_except_for_their_sources():
    titles = [title for title in SECTIONS if title != "E: rare genres"]  # which defines genre and needs two sources
    parameters = copied(*titles)
    assert len(models_in(parameters)) > 25
    check_parameters(parameters)
