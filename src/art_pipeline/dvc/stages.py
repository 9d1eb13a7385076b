"""``dvc.yaml`` from the pipelines and the catalog: a stage for each pipeline of the main line."""

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
from art_pipeline.pipelines.code import files_behind, is_parameter, parameter_keys

FILE = "dvc.yaml"
HEADER = "# Written by `kedro dvc` from the pipelines, their imports and conf/base/catalog. Not to be edited.\n"
REFUSED_BY_DVC = set(string.punctuation) - {"_", "-"}


@dataclass(frozen=True)
class Place:
    """What the catalog says of a data set, as far as DVC is concerned.

    Attributes:
        name: The data set's.
        path: Relative to the project, with ``/``.
        catalog: The file of the catalog that says so, likewise.
        grows: Whether a run adds to what is there; DVC must not remove it first.
        metric: Whether it holds metrics.
        plot: How ``dvc plots`` shows it; None where it does not.
    """

    name: str
    path: str
    catalog: str | None
    grows: bool = False
    metric: bool = False
    plot: Mapping[str, Any] | None = None


class Places:
    """The places of data sets, by their names.

    Args:
        project: The project's folder.
        catalog: Folder of the catalog's files.
        config: What they hold together, references resolved.
        data: Folder of the data, relative to the project.
    """

    def __init__(self, project: Path, catalog: Path, config: Mapping[str, Any], data: str = "data"):
        self.data = Path(data)
        self._project = project.resolve()
        # Patterns for data that stays in memory are Kedro's last resort: here, nothing is known of such.
        self._resolver = CatalogConfigResolver(dict(config), default_runtime_patterns={"{default}": {}})
        self._files = {
            name: file.relative_to(project).as_posix()
            for file in sorted(catalog.glob("*.yml"))
            for name in yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        }
        self._known = config

    def made_by(self, pipeline: Pipeline) -> list[Place]:
        """Where a pipeline writes; what its own nodes pass on in memory has no place.

        Raises:
            DvcError: As `of`.
        """
        passed_on = pipeline.all_outputs() - pipeline.outputs()
        kept = {name for name in pipeline.all_outputs() if name not in passed_on or self._entry(name).get("filepath")}
        return [self.of(name) for name in sorted(kept)]

    def of(self, name: str) -> Place:
        """The place of one data set.

        Raises:
            DvcError: It has no file, or one outside the project.
        """
        entry = self._entry(name)
        if not entry.get("filepath"):
            raise DvcError(
                f"The data set {name!r} has no file path, so that DVC cannot keep it. Give it an entry in conf/base/"
                "catalog."
            )
        told = (entry.get("metadata") or {}).get("dvc") or {}
        return Place(
            name,
            self._inside(name, entry["filepath"]),
            self.catalog_of(name),
            grows=bool(entry.get("resume")),
            metric=bool(told.get("metric")),
            plot=told.get("plot"),
        )

    def catalog_of(self, name: str) -> str | None:
        """The file of the catalog that has a data set's entry, relative to the project; None where none has."""
        return self._files.get(name if name in self._known else self._resolver.match_dataset_pattern(name))

    def _entry(self, name: str) -> Mapping[str, Any]:
        return self._resolver.resolve_pattern(name)

    def _inside(self, name: str, path: str) -> str:
        whole = (self._project / path).resolve()
        if not whole.is_relative_to(self._project) or whole == self._project:
            raise DvcError(
                f"The data set {name!r} is at {path}, outside the project, where DVC cannot keep it. Give it a place "
                "under data."
            )
        return whole.relative_to(self._project).as_posix()


def require_repository(project: Path) -> None:
    """Let a project pass that DVC and git both keep.

    Raises:
        DvcError: One of them does not.
    """
    if not (project / ".dvc" / "config").is_file():
        raise DvcError("This is no DVC repository: .dvc/config is missing. Run dvc init, or git checkout .dvc.")
    inside, reason = run_git(project, "rev-parse", "--git-dir")
    if inside is not None:
        return
    if reason == NO_GIT:
        raise DvcError("DVC needs git, which is not installed.")
    if "not a git repository" in reason:
        raise DvcError("This is no git repository, which DVC needs. Run git init, and commit.")
    raise DvcError(f"DVC needs git, which refuses: {reason}")


def make_dvc_yaml(
    pipelines: Mapping[str, Pipeline], places: Places, parameters: Mapping[str, Options], project: Path
) -> dict[str, Any]:
    """The content of ``dvc.yaml``.

    A stage depends on the data that it reads, on the files that its parameters name, on the code
    that its nodes are in and import, on the classes of its parameters, on the files of the catalog
    that say how it writes, and on the
    pinned packages. A folder stands for code that is all there: DVC asks for each entry.

    Args:
        pipelines: By the names of the stages; together, the main line.
        places: Of their data sets.
        parameters: The options of each block of params.yaml.
        project: The project's folder.

    Raises:
        DvcError: A name that DVC refuses, two data sets in one place, or a data set or a module
            that is not in the project.
    """
    _require_names(pipelines)
    _require_places_of_their_own(pipelines, places)
    stages = {name: _stage(name, pipeline, places, parameters, project) for name, pipeline in pipelines.items()}
    made = [place for pipeline in pipelines.values() for place in places.made_by(pipeline)]
    plots = [{place.path: dict(place.plot)} if place.plot else place.path for place in made if place.plot is not None]
    return {"stages": stages, "plots": plots}


def write_dvc_yaml(file: Path, content: Mapping[str, Any]) -> None:
    """Write ``dvc.yaml``."""
    text = HEADER + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)
    write_atomically(file, text.encode())


def read_dvc_yaml(file: Path) -> dict[str, Any]:
    """The content of a ``dvc.yaml``; empty where there is none.

    Raises:
        DvcError: It is not to be read, as after a merge that met a conflict.
    """
    if not file.exists():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DvcError(f"{FILE} cannot be read: {error}. Delete it, and run kedro dvc.") from error
    if not isinstance(content, dict):
        raise DvcError(f"{FILE} cannot be read: it holds no stages. Delete it, and run kedro dvc.")
    return content


def tracked_paths(content: Mapping[str, Any]) -> set[str]:
    """Every output that a ``dvc.yaml`` names, relative to the project."""
    stages = (content.get("stages") or {}).values()
    outputs = [one for stage in stages for one in (*stage.get("outs", ()), *stage.get("metrics", ()))]
    return {path for one in outputs for path in ([one] if isinstance(one, str) else one)}


def name_differences(written: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    """What of a ``dvc.yaml`` is not as the pipelines have it: a line each, by stage and entry."""
    before, after = written.get("stages") or {}, made["stages"]
    lines = [f"{name}: no such stage in {FILE}" for name in after if name not in before]
    lines += [f"{name}: no such stage in the pipelines" for name in before if name not in after]
    for name in [one for one in after if one in before]:
        for key in dict.fromkeys([*after[name], *before[name]]):
            lines += _compare(f"{name}.{key}", before[name].get(key), after[name].get(key))
    return lines + _compare("plots", written.get("plots"), made["plots"])


def _compare(where: str, before: Any, after: Any) -> list[str]:
    old, new = _entries(before), _entries(after)
    lines = [f"{where}: {one} is missing in {FILE}" for one in new if one not in old]
    lines += [f"{where}: {one} is in {FILE} alone" for one in old if one not in new]
    if not lines and old != new:
        lines.append(f"{where}: in another order")
    return lines


def _entries(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _stage(
    name: str, pipeline: Pipeline, places: Places, parameters: Mapping[str, Options], project: Path
) -> dict[str, Any]:
    read = sorted(places.of(one).path for one in pipeline.inputs() if not is_parameter(one))
    made = places.made_by(pipeline)
    catalogs = sorted({place.catalog for place in made if place.catalog})
    stage = {
        "desc": ", ".join(node.name.rpartition(".")[2] for node in pipeline.nodes),
        # DVC knows params.yaml alone: what conf/local sets has no part in what it keeps.
        "cmd": f"kedro run --env base --pipelines {name}",
        "deps": [*read, *_named_by(pipeline, parameters), *_code(pipeline, parameters, project), *catalogs, LOCK],
        "params": parameter_keys(pipeline.nodes, parameters),
        "outs": [
            *({place.path: {"persist": True}} if place.grows else place.path for place in made if not place.metric),
            ledger_file(places.data, name).as_posix(),
        ],
        "metrics": [place.path for place in made if place.metric],
    }
    return {key: value for key, value in stage.items() if value}


def _named_by(pipeline: Pipeline, parameters: Mapping[str, Options]) -> list[str]:
    """Files and folders that the blocks name which the pipeline reads as a whole."""
    blocks = {name.removeprefix("params:") for name in pipeline.inputs() if is_parameter(name)}
    return sorted({path for name in blocks if name in parameters for path in parameters[name].read_paths})


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
            raise DvcError(f"DVC takes no stage called {name!r}: use letters, digits, - and _ in a pipeline's name.")


def _require_places_of_their_own(pipelines: Mapping[str, Pipeline], places: Places) -> None:
    """No two data sets in one place, nor one within another's folder, and no data set made twice."""
    taken: dict[str, str] = {}
    for stage, pipeline in pipelines.items():
        for place in places.made_by(pipeline):
            mine = f"{place.name!r} of {stage}"
            for path, other in taken.items():
                if f"{place.path}/".startswith(f"{path}/") or f"{path}/".startswith(f"{place.path}/"):
                    raise DvcError(
                        f"Two data sets are written to one place: {other} to {path}, and {mine} to {place.path}. "
                        "Give each a path of its own in conf/base/catalog."
                    )
            taken[place.path] = mine
