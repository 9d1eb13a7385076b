"""Every node leaves a step in the ledger of its stage, and every model a record of what led to it."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from os.path import commonpath
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from art_pipeline.common.files import write_atomically
from art_pipeline.common.options import Options, flatten
from art_pipeline.dvc.stages import Places
from art_pipeline.errors import LineageError
from art_pipeline.kedro_ext.config_loader import read_parameters
from art_pipeline.kedro_ext.datasets import FolderDataset
from art_pipeline.lineage.card import card_sources, read_and_write_card
from art_pipeline.lineage.digest import digest_file, measure
from art_pipeline.lineage.environment import (
    LOCK,
    PARAMETERS,
    describe_environment,
    describe_source,
    reason_without_commit,
)
from art_pipeline.lineage.ledger import add_step, read_ledgers, steps_behind
from art_pipeline.lineage.record import (
    MODEL_CARD,
    SIGNATURE,
    VERSION,
    Artifact,
    Record,
    Step,
    misread,
    record_file,
)
from art_pipeline.lineage.stale import museum_of
from art_pipeline.pipelines.code import files_behind, is_parameter, parameter_keys
from art_pipeline.pipelines.parameters import STAGES, check_parameters

log = logging.getLogger(__name__)


class LineageHooks:
    """Writes ledgers while nodes run, and a model's record when its last node has.

    Args:
        tracked: Whether MLflow keeps the run.
    """

    def __init__(self, tracked: bool = True) -> None:
        self._tracked = tracked
        self._places: Places
        self._own_catalog: list[Path] = []
        self._project = self._data = Path()
        self._parameters: dict[str, Any] = {}
        self._options: dict[str, Options] = {}
        self._overrides: dict[str, Any] = {}
        self._catalog: DataCatalog
        self._measured: dict[Path, Artifact] = {}
        self._code: dict[Path, str] = {}
        self._reads: dict[str, dict[str, Artifact | None]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._unfinished: dict[str, set[str]] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the project and its parameters."""
        self._project = context.project_path
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._parameters = context.config_loader["parameters"]
        self._options = check_parameters(self._parameters)
        self._overrides = find_overrides(context)
        conf = Path(context.config_loader.conf_source)
        self._places = Places(self._project, conf / "base" / "catalog", context.config_loader["catalog"])
        env = context.env or "local"
        self._own_catalog = [] if env == "base" else _catalog_of_environment(conf / env)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Note which nodes will run, and say once where nothing can be proven to a commit."""
        if reason := reason_without_commit(self._project):
            log.warning("The results cannot be proven to a commit: %s", reason)
        self._catalog = catalog
        self._measured.clear()
        models = {node.namespace for node in pipeline.nodes if node.namespace}
        self._unfinished = {
            model: {node.name for node in pipeline.nodes if node.namespace == model} for model in models
        }

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Measure what a node is about to read."""
        self._reads[node.name] = {name: self._measure(name) for name in _data(node.inputs)}
        self._unsaved[node.name] = set(node.outputs)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Measure what it wrote; with the last of that, its step is known."""
        self._measured.pop(self._path(dataset_name), None)
        self._measure(dataset_name)
        self._unsaved[node.name].discard(dataset_name)
        if not self._unsaved[node.name]:
            self._add_step(node)
            self._finish(node)

    def _add_step(self, node: Node) -> None:
        stage = stage_of(node)
        known = {one.name for pipeline in pipelines.values() for one in pipeline.nodes if stage_of(one) == stage}
        step = Step(
            stage=stage,
            function=f"{node.func.__module__}.{node.func.__qualname__}",
            code=self._code_of(node),
            parameters={key: _at(self._parameters, key) for key in parameter_keys([node], self._options)},
            reads=self._reads.pop(node.name),
            writes={name: self._measure(name) for name in node.outputs},
        )
        add_step(self._data, node.name, step, known)

    def _finish(self, node: Node) -> None:
        left = self._unfinished.get(node.namespace, set())
        left.discard(node.name)
        if node.namespace and not left:
            self._write_record(node.namespace)

    def _write_record(self, model: str) -> None:
        file = record_file(self._data, model)
        try:
            chain = steps_behind(read_ledgers(self._data)[0], model)
        except LineageError as error:
            file.unlink(missing_ok=True)  # it is of an earlier result
            log.warning("%s has no record of lineage. %s", model, error)
            return
        code = {path for step in chain.values() for path in step.code}
        record = Record(
            version=VERSION,
            result=model,
            museum=self._museum_of(chain, model),
            source=describe_source(self._project, {*code, PARAMETERS, LOCK}),
            environment=describe_environment(self._project),
            overrides=self._overrides,
            steps=chain,
            tracked=self._tracked,
        )
        if not set(card_sources(record)) <= set(record.artifacts):
            log.info("%s has no record of lineage yet: a part of it was run, and no metrics.", model)
            return
        if not file.is_file() or file.read_bytes() != record.text.encode():
            file.with_name(SIGNATURE).unlink(missing_ok=True)  # it is of an earlier result
        record.write(file)
        write_atomically(file.with_name(MODEL_CARD), self._card(record).encode())

    def _museum_of(self, chain: Mapping[str, Step], model: str) -> str:
        """The source of a result: of a model that was not trained on what is here now, the one in its former record."""
        trained = [step.writes.get(f"{model}.model") for step in chain.values()]
        with suppress(LineageError):
            former = Record.read(record_file(self._data, model))
            if misread(chain) and former.artifacts.get(f"{model}.model") in trained:
                return former.museum
        with suppress(LineageError):
            return museum_of(chain)
        return self._options["sources"].addresses

    def _card(self, record: Record) -> str:
        files = [self._project / record.artifacts[name].path for name in card_sources(record)]
        return read_and_write_card(record, *files)

    def _code_of(self, node: Node) -> dict[str, str]:
        """Digest of each file that decides on what a node writes, by path: code, catalog, and what parameters name."""
        files = files_behind([node], self._options)
        inside = all(file.is_relative_to(self._project) for file in files)
        root = self._project if inside else Path(commonpath(files))
        named = {file.relative_to(root).as_posix(): file for file in files}
        beside = [*self._catalog_files(node), *self._named_files(node)]
        named |= {file.relative_to(self._project).as_posix(): file for file in beside}
        return {path: self._digest_of(file) for path, file in sorted(named.items())}

    def _digest_of(self, file: Path) -> str:
        if file not in self._code:
            self._code[file] = digest_file(file)
        return self._code[file]

    def _catalog_files(self, node: Node) -> list[Path]:
        """Files of the catalog that say how a node writes."""
        names = {self._places.catalog_of(name) for name in node.outputs}
        return [*(self._project / name for name in names if name), *self._own_catalog]

    def _named_files(self, node: Node) -> list[Path]:
        """Files that parameters name, such as a file of groups; data is measured, or its museum's answers are."""
        blocks = [self._options[key] for key in parameter_keys([node], self._options) if key in self._options]
        files = [self._project / path for block in blocks for path in block.read_paths]
        inside = [file for file in files if file.is_file() and file.resolve().is_relative_to(self._project.resolve())]
        return [file for file in inside if not file.is_relative_to(self._project / "data")]

    def _path(self, name: str) -> Path | None:
        return place_of(self._catalog, name, self._project)

    def _measure(self, name: str) -> Artifact | None:
        """What a data set is now; measured once, until it is saved again."""
        path = self._path(name)
        if path is None:
            return None
        if path not in self._measured:
            sources = self._sources_of(name)
            now = measure(self._project / path, sources)
            self._measured[path] = Artifact(path=path.as_posix(), sources=sources, **now._asdict())
        return self._measured[path]

    def _sources_of(self, name: str) -> tuple[str, ...]:
        """The source directories that are meant in a folder that museums share."""
        dataset = self._catalog.get(name)
        shared = isinstance(dataset, FolderDataset) and dataset.grows
        return self._options["sources"].directories if shared else ()


def find_overrides(context: KedroContext) -> dict[str, Any]:
    """Parameters that an environment or ``--params`` sets otherwise than params.yaml, by key."""
    written = dict(flatten(read_parameters(context.project_path / "params.yaml")))
    used = dict(flatten(context.config_loader["parameters"]))
    return {key: value for key, value in used.items() if key not in written or written[key] != value}


def place_of(catalog: DataCatalog, name: str, project: Path) -> Path | None:
    """The place of a data set, relative to the project; None of one in memory or elsewhere."""
    path = getattr(catalog.get(name), "path", None)
    whole = project / path if path else None
    return whole.relative_to(project) if whole and whole.is_relative_to(project) else None


def stage_of(node: Node) -> str:
    """The stage that a node belongs to: its model, or the pipeline that tagged it."""
    return node.namespace or min(node.tags & {*STAGES, "scrape", "report"}, default="")


def _catalog_of_environment(conf: Path) -> list[Path]:
    """The files with which an environment changes the catalog."""
    return sorted(file for place in conf.glob("catalog*") for file in (place, *place.rglob("*")) if file.is_file())


def _data(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not is_parameter(name))


def _at(parameters: Mapping[str, Any], key: str) -> Any:
    value: Any = parameters
    for part in key.split("."):
        value = value[part]
    return value
