"""Which files a function's code is in."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from art_pipeline.lineage.code_files import code_files, fold

PACKAGE = Path(__file__).parents[2] / "src" / "art_pipeline"


def names(*modules, alone=()):
    return {file.relative_to(PACKAGE).as_posix() for file in code_files(modules, alone)}


def test_a_module_comes_with_all_that_it_imports_and_the_packages_around():
    found = names("art_pipeline.pipelines.features.nodes")
    assert found >= {"pipelines/features/nodes.py", "features/store.py", "common/files.py", "errors.py", "__init__.py"}


def test_a_package_that_holds_only_words_is_no_code():
    assert "features/__init__.py" not in names("art_pipeline.features.sift")


def test_and_with_nothing_else():
    found = names("art_pipeline.pipelines.features.nodes")
    assert not any(name.startswith(("models/", "sources/", "evaluation/")) for name in found)


def test_imports_within_functions_count():
    assert "models/training/loop.py" in names("art_pipeline.models.training.train")


def test_a_module_alone_comes_without_what_it_imports():
    assert names(alone=["art_pipeline.pipelines.model.pipeline"]) == {
        "__init__.py",
        "pipelines/model/pipeline.py",
    }


@pytest.mark.parametrize(
    ("module", "data"),
    [
        ("evaluation.report.page", {"evaluation/report/page.html.j2", "evaluation/report/page.css.j2"}),
        (
            "sources.sample.records",
            {"sources/sample/catalogue.departments.toml", "sources/sample/catalogue.words.toml"},
        ),
    ],
)
def test_data_that_a_module_reads_comes_with_it(module, data):
    assert names(f"art_pipeline.{module}") >= data


def test_every_file_of_the_package_is_code_or_called_after_the_module_that_reads_it():
    for file in set(PACKAGE.rglob("*")) - set((PACKAGE / "web").rglob("*")):  # which computes no result
        if file.is_file() and file.suffix not in {".py", ".pyc", ".typed"} and ".egg-info" not in str(file):
            assert file.with_name(f"{file.name.partition('.')[0]}.py").is_file(), file


def test_a_folder_stands_for_all_the_code_in_it_and_for_no_less():
    sample = set(code_files(["art_pipeline.sources.sample.adapter"]))
    folded = fold(sample)
    assert PACKAGE / "sources" / "sample" in folded
    assert not any(path.is_relative_to(PACKAGE / "sources" / "sample" / "scenes.py") for path in folded)
    one_less = fold(sample - {PACKAGE / "sources" / "sample" / "scenes.py"})
    assert PACKAGE / "sources" / "sample" not in one_less
    assert PACKAGE / "sources" / "sample" / "adapter.py" in one_less


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(code_files(["art_pipeline.pipelines.report.nodes"])))))
def test_folding_neither_loses_nor_adds(files):
    unfolded = set()
    for path in fold(files):
        held = {path} if path.is_file() else set(path.rglob("*"))
        assert not unfolded & held
        unfolded |= {file for file in held if file.is_file() and "__pycache__" not in file.parts}
    assert {file for file in unfolded if file.name != "__init__.py"} == {
        file for file in files if file.name != "__init__.py"
    }


@pytest.mark.parametrize(
    "module", ["evaluation.report.summary", "sources.fetch", "models.training.train", "images.augmentation"]
)
def test_whatever_python_loads_is_named(module):
    """The graph is read from the text; this is what happens."""
    tell = (
        f"import sys, art_pipeline.{module};"
        "print(*(loaded.__file__ for name, loaded in sys.modules.items() if name.startswith('art_pipeline')))"
    )
    loaded = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True).stdout.split()
    found = set(code_files([f"art_pipeline.{module}"]))
    assert {Path(file) for file in loaded if not file.endswith("__init__.py")} <= found
