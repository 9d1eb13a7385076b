"""What the commit is, what of it counts, and how parameters are read."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from art_pipeline.common.options import flatten
from art_pipeline.errors import LineageError
from art_pipeline.kedro_ext.config_loader import read_parameters
from art_pipeline.lineage.git import describe_source, read_files_at, reason_without_commit, run_git
from art_pipeline.lineage.params_file import parse_parameters, same_value
from art_pipeline.lineage.record import Source

CODE = "src/art_pipeline/pipelines/some/nodes.py"


class TestSource:
    def test_files_on_which_nothing_depends_do_not_count(self, result):
        (result.project / "new").mkdir()
        (result.project / "new" / "photograph.jpg").touch()
        (result.project / "LICENSE").write_text("changed")
        source = describe_source(result.project, [CODE, "params.yaml"])
        assert source == Source(commit=result.record.source.commit, changes=None)

    def test_those_that_count_are_named(self, result):
        (result.project / CODE).write_text("changed")
        (result.project / "groups.yml").touch()
        source = describe_source(result.project, [CODE, "params.yaml", "groups.yml"])
        assert source.files == (CODE, "groups.yml")
        assert source.changes

    def test_without_a_choice_all_count_but_what_dvc_writes(self, result):
        (result.project / "dvc.lock").touch()
        shutil.rmtree(result.project / "data")
        assert describe_source(result.project).changes is None
        (result.project / "a (new) file").touch()
        assert describe_source(result.project).files == ("a (new) file",)

    def test_other_bytes_are_other_changes(self, result):
        found = set()
        for text in ("one", "two"):
            (result.project / CODE).write_text(text)
            found.add(describe_source(result.project, [CODE]).changes)
        assert len(found) == 2

    def test_a_project_within_a_repository(self, result):
        inside = result.project / "src"
        name = CODE.removeprefix("src/")
        assert describe_source(inside, [name]).changes is None
        assert read_files_at(inside, result.record.source.commit, [name]) == {
            name: (result.project / CODE).read_bytes()
        }
        (result.project / CODE).write_text("changed")
        assert describe_source(inside, [name]).files == (name,)


class TestWithoutCommit:
    def test_with_one_there_is_no_reason(self, result):
        assert reason_without_commit(result.project) is None

    def test_no_repository(self, tmp_path):
        assert reason_without_commit(tmp_path) == "this is not a git repository"
        assert describe_source(tmp_path) == Source(commit=None, changes=None)

    def test_no_commit_yet(self, tmp_path):
        run_git(tmp_path, "init", "--quiet")
        assert reason_without_commit(tmp_path) == "the git repository has no commit yet"

    def test_no_git(self, result, monkeypatch):
        monkeypatch.setenv("PATH", "")
        assert reason_without_commit(result.project) == "git is not installed"

    @pytest.mark.services
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a folder")
    def test_a_repository_of_somebody_else(self, result, monkeypatch):
        monkeypatch.setenv("HOME", str(result.project))
        for place in (result.project, result.project / ".git"):
            os.chown(place, 12345, 12345)
        reason = reason_without_commit(result.project)
        assert "dubious ownership" in reason
        assert "git config --global --add safe.directory" in reason


class TestParameters:
    @pytest.mark.parametrize(
        "value",
        [
            *("1e-4", "1e5", "0x1f", "010", "0o10", "on", "off", "yes", "NO", "~", "2026-01-02", "12:30:45", ".inf"),
            *(
                "-.inf",
                ".nan",
                "1_000",
                "'1e-4'",
                "${other}",
                "a ${other} b",
                "",
                "{}",
                "[]",
                "[1e-4, on]",
                "null",
                "1",
            ),
        ],
    )
    def test_they_are_read_as_the_pipeline_reads_them(self, tmp_path, value):
        file = tmp_path / "params.yaml"
        file.write_text(f"other: 3\nblock:\n  value: {value}\n")
        read = dict(flatten(read_parameters(file)))
        assert all(map(same_value, parse_parameters(file.read_bytes()).values(), read.values()))
        assert parse_parameters(file.read_bytes()).keys() == read.keys()

    @pytest.mark.parametrize(
        "text", [b"[", b"a: ${b}", b"a: ${", b"\xff", b"word", b"[1]", b"", b"a: &a [*a]", b"[" * 100_000]
    )
    def test_what_cannot_be_read_is_said(self, text):
        try:
            assert parse_parameters(text) in ({}, {"word": None}) or b"&a" in text
        except LineageError as error:
            assert "params.yaml cannot be read" in str(error)

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
    def test_a_value_is_the_same_as_itself(self, value):
        assert same_value(value, value)

    @pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ("1", 1), (None, ""), ([], {})])
    def test_values_of_two_types_differ(self, one, other):
        assert not same_value(one, other)

    def test_lists_of_any_kind_are_the_same(self):
        assert same_value((1, 2), OmegaConf.to_container(OmegaConf.create([1, 2])))
