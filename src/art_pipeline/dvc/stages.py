"""Generate ``dvc.yaml`` from the pipelines and the catalog: one stage for each main pipeline."""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kedro.io.catalog_config_resolver import CatalogConfigResolver
from kedro.pipeline import Pipeline

from art_pipeline.common.files import write_atomically
from art_pipeline.common.options import Options
from art_pipeline.errors import DvcError
from art_pipeline.lineage.code_files import fold
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.git import NO_GIT, run_git
from art_pipeline.lineage.ledger import ledger_file
from art_pipeline.pipelines.code import files_behind, is_parameter, named_files, parameter_keys

FILE = "dvc.yaml"
HEADER = "# Written by `kedro dvc` from the pipelines, their imports and conf/base/catalog. Do not edit.\n"
REFUSED_BY_DVC = set(string.punctuation) - {"_", "-"}


@dataclass(frozen=True)
class Output:
    """A data set as an output of a DVC stage.

    Attributes:
        name: Name of the data set.
        path: Relative to the project, with ``/``.
        catalog: The catalog file of its entry, likewise; None where the entry is in no file.
        persist: Whether a run adds to it, so that DVC must not remove it first.
        metric: Whether it holds metrics.
        plot: The options of ``dvc plots``; None where it is not plotted.
    """

    name: str
    path: str
    catalog: str | None
    persist: bool = False
    metric: bool = False
    plot: Mapping[str, Any] | None = None


class Outputs:
    """Finds the outputs of pipelines in the catalog.

    Args:
        project: The project's folder.
        catalog: Folder of the catalog files.
        config: Their content together, interpolations resolved.
        data: The data folder, relative to the project.
    """

    def __init__(self, project: Path, catalog: Path, config: Mapping[str, Any], data: str = "data"):
        self.data = Path(data)
        self._project = project.resolve()
        # An empty default pattern: Kedro's would put unknown data sets in memory.
        self._resolver = CatalogConfigResolver(dict(config), default_runtime_patterns={"{default}": {}})
        self._files = {
            name: file.relative_to(project).as_posix()
            for file in sorted(catalog.glob("*.yml"))
            for name in yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        }
        self._config = config

    def of_pipeline(self, pipeline: Pipeline) -> list[Output]:
        """Return what a pipeline writes, without what its nodes pass to each other in memory.

        Raises:
            DvcError: See `of_dataset`.
        """
        internal = pipeline.all_outputs() - pipeline.outputs()
        stored = {name for name in pipeline.all_outputs() if name not in internal or self._entry(name).get("filepath")}
        return [self.of_dataset(name) for name in sorted(stored)]

    def of_dataset(self, name: str) -> Output:
        """Return one data set.

        Raises:
            DvcError: It has no file path, or one outside the project.
        """
        entry = self._entry(name)
        if not entry.get("filepath"):
            raise DvcError(
                f"The data set {name!r} has no file path, so that DVC cannot keep it. Add it to conf/base/catalog."
            )
        options = (entry.get("metadata") or {}).get("dvc") or {}
        return Output(
            name,
            self._relative(name, entry["filepath"]),
            self.catalog_file(name),
            persist=bool(entry.get("resume")),
            metric=bool(options.get("metric")),
            plot=options.get("plot"),
        )

    def catalog_file(self, name: str) -> str | None:
        """Return the catalog file of a data set's entry, relative to the project; None where it has none."""
        return self._files.get(name if name in self._config else self._resolver.match_dataset_pattern(name) or "")

    def _entry(self, name: str) -> Mapping[str, Any]:
        return self._resolver.resolve_pattern(name)

    def _relative(self, name: str, path: str) -> str:
        absolute = (self._project / path).resolve()
        if not absolute.is_relative_to(self._project) or absolute == self._project:
            raise DvcError(
                f"The data set {name!r} has the path {path}, outside the project, where DVC cannot keep it. Choose a "
                "path in data/."
            )
        return absolute.relative_to(self._project).as_posix()


def require_repository(project: Path) -> None:
    """Check that a project is a repository of DVC and of git.

    Raises:
        DvcError: It is not.
    """
    if not (project / ".dvc" / "config").is_file():
        raise DvcError("This is not a DVC repository: .dvc/config is missing. Run dvc init, or git checkout .dvc.")
    inside, reason = run_git(project, "rev-parse", "--git-dir")
    if inside is not None:
        return
    if reason == NO_GIT:
        raise DvcError("DVC needs git, which is not installed.")
    if "not a git repository" in reason:
        raise DvcError("This is not a git repository, which DVC needs. Run git init, and commit.")
    raise DvcError(f"DVC needs git, which fails: {reason}")


def make_dvc_yaml(
    pipelines: Mapping[str, Pipeline], outputs: Outputs, parameters: Mapping[str, Options], project: Path
) -> dict[str, Any]:
    """Return the content of ``dvc.yaml``.

    The dependencies of a stage are the data that it reads, the files that its parameters name, the code of
    its nodes with everything that they import, the classes of its parameters, the catalog files of its
    outputs, and the pinned packages. Files of code are replaced by their folder where all of it is used.

    Args:
        pipelines: The main pipelines, by stage name.
        outputs: Finds their outputs in the catalog.
        parameters: The options of each block of params.yaml.
        project: The project's folder.

    Raises:
        DvcError: DVC refuses a name, two data sets have one path, or a data set or a module is outside of
            the project.
    """
    _require_names(pipelines)
    _require_distinct_paths(pipelines, outputs)
    stages = {name: _stage(name, pipeline, outputs, parameters, project) for name, pipeline in pipelines.items()}
    written = [output for pipeline in pipelines.values() for output in outputs.of_pipeline(pipeline)]
    plots = [{one.path: dict(one.plot)} if one.plot else one.path for one in written if one.plot is not None]
    return {"stages": stages, "plots": plots}


def write_dvc_yaml(file: Path, content: Mapping[str, Any]) -> None:
    """Write ``dvc.yaml``."""
    text = HEADER + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)
    write_atomically(file, text.encode())


def read_dvc_yaml(file: Path) -> dict[str, Any]:
    """Return the content of a ``dvc.yaml``; empty where there is none.

    Raises:
        DvcError: It cannot be read, for example with a merge conflict.
    """
    if not file.exists():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DvcError(f"{FILE} cannot be read: {error}. Delete it, and run kedro dvc.") from error
    if not isinstance(content, dict):
        raise DvcError(f"{FILE} cannot be read: it has no stages. Delete it, and run kedro dvc.")
    return content


def tracked_paths(content: Mapping[str, Any]) -> set[str]:
    """Return every output of a ``dvc.yaml``, relative to the project."""
    stages = (content.get("stages") or {}).values()
    outputs = [one for stage in stages for one in (*stage.get("outs", ()), *stage.get("metrics", ()))]
    return {path for one in outputs for path in ([one] if isinstance(one, str) else one)}


def compare_dvc_yaml(written: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Return a line for each difference between a ``dvc.yaml`` and the expected content."""
    before, after = written.get("stages") or {}, expected["stages"]
    lines = [f"{name}: the stage is missing in {FILE}" for name in after if name not in before]
    lines += [f"{name}: no pipeline has this stage" for name in before if name not in after]
    for name in [one for one in after if one in before]:
        for key in dict.fromkeys([*after[name], *before[name]]):
            lines += _compare(f"{name}.{key}", before[name].get(key), after[name].get(key))
    return lines + _compare("plots", written.get("plots"), expected["plots"])


def _compare(where: str, before: Any, after: Any) -> list[str]:
    old, new = _entries(before), _entries(after)
    lines = [f"{where}: {one} is missing in {FILE}" for one in new if one not in old]
    lines += [f"{where}: {one} is only in {FILE}" for one in old if one not in new]
    if not lines and old != new:
        lines.append(f"{where}: another order")
    return lines


def _entries(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _stage(
    name: str, pipeline: Pipeline, outputs: Outputs, parameters: Mapping[str, Options], project: Path
) -> dict[str, Any]:
    read = sorted(outputs.of_dataset(one).path for one in pipeline.inputs() if not is_parameter(one))
    written = outputs.of_pipeline(pipeline)
    catalogs = sorted({output.catalog for output in written if output.catalog})
    stage = {
        "desc": ", ".join(node.name.rpartition(".")[2] for node in pipeline.nodes),
        # DVC reads params.yaml only, so that conf/local must not change what it keeps.
        "cmd": f"kedro run --env base --pipelines {name}",
        "deps": [*read, *_named_files(pipeline, parameters), *_code(pipeline, parameters, project), *catalogs, LOCK],
        "params": parameter_keys(pipeline.nodes, parameters),
        "outs": [
            *({one.path: {"persist": True}} if one.persist else one.path for one in written if not one.metric),
            ledger_file(outputs.data, name).as_posix(),
        ],
        "metrics": [output.path for output in written if output.metric],
    }
    return {key: value for key, value in stage.items() if value}


def _named_files(pipeline: Pipeline, parameters: Mapping[str, Options]) -> list[str]:
    """Return files and folders that a pipeline's parameter blocks name."""
    if "parameters" in pipeline.inputs():  # the report shows all of them, and reads no file that they name
        return []
    return sorted({path for node in pipeline.nodes for path in named_files(node, parameters)})


def _code(pipeline: Pipeline, parameters: Mapping[str, Options], project: Path) -> list[str]:
    files = files_behind(pipeline.nodes, parameters)
    outside = [file for file in files if not file.is_relative_to(project)]
    if outside:
        raise DvcError(
            f"The package art_pipeline is imported from {outside[0].parent}, not from this project. Install this one: "
            "make setup."
        )
    return [path.relative_to(project).as_posix() for path in fold(files)]


def _require_names(pipelines: Iterable[str]) -> None:
    for name in pipelines:
        if not name or REFUSED_BY_DVC & set(name) or name != name.strip():
            raise DvcError(f"DVC refuses the stage name {name!r}: use letters, digits, - and _ in a pipeline's name.")


def _require_distinct_paths(pipelines: Mapping[str, Pipeline], outputs: Outputs) -> None:
    """Check that no two data sets have the same path, or one within another's folder."""
    taken: dict[str, str] = {}
    for stage, pipeline in pipelines.items():
        for output in outputs.of_pipeline(pipeline):
            for path, other in taken.items():
                if f"{output.path}/".startswith(f"{path}/") or f"{path}/".startswith(f"{output.path}/"):
                    raise DvcError(
                        f"Two data sets have the same path: {other} writes {path}, and {output.name!r} of {stage} "
                        f"writes {output.path}. Give each its own path in conf/base/catalog."
                    )
            taken[output.path] = f"{output.name!r} of {stage}"
