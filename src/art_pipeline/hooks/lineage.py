"""Write the ledgers of lineage while nodes run, and the record of a model after its last node."""

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
from art_pipeline.common.options import Options
from art_pipeline.dvc.stages import Outputs
from art_pipeline.errors import LineageError
from art_pipeline.hooks.nodes import dataset_path, result_of, stage_of
from art_pipeline.hooks.parameters import find_overrides, sources_of
from art_pipeline.lineage.digest import digest_file, measure
from art_pipeline.lineage.environment import LOCK, describe_environment
from art_pipeline.lineage.git import describe_source, reason_without_commit
from art_pipeline.lineage.ledger import add_step, read_ledgers, upstream_steps
from art_pipeline.lineage.model_card import card_sources, read_and_write_card
from art_pipeline.lineage.model_source import source_address
from art_pipeline.lineage.params_file import PARAMETERS
from art_pipeline.lineage.record import (
    MODEL_CARD,
    SIGNATURE,
    VERSION,
    Artifact,
    Record,
    Step,
    inconsistent_reads,
    record_file,
)
from art_pipeline.pipelines.code import files_behind, is_parameter, named_files, parameter_keys
from art_pipeline.pipelines.parameters import check_parameters

log = logging.getLogger(__name__)

BY_SOURCE = ("listings", "records", "source_images")  # folders with a directory per source, which runs share


class LineageHooks:
    """Writes ledgers and records.

    Args:
        tracked: Whether MLflow tracks the run.
    """

    def __init__(self, tracked: bool = True) -> None:
        self._tracked = tracked
        self._outputs: Outputs
        self._environment_catalog: list[Path] = []
        self._project = self._data = Path()
        self._parameters: dict[str, Any] = {}
        self._options: dict[str, Options] = {}
        self._overrides: dict[str, Any] = {}
        self._catalog: DataCatalog
        self._measured: dict[Path, Artifact] = {}
        self._code_digests: dict[Path, str] = {}
        self._reads: dict[str, dict[str, Artifact | None]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._unfinished: dict[str, set[str]] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the project's folder, its parameters and its catalog."""
        self._project = context.project_path
        self._data = context.project_path / context.config_loader["globals"]["data"]
        self._parameters = context.config_loader["parameters"]
        options = check_parameters(self._parameters)
        self._options = {name: options[name] for name in self._parameters}
        self._overrides = find_overrides(context)
        conf = Path(context.config_loader.conf_source)
        self._outputs = Outputs(self._project, conf / "base" / "catalog", context.config_loader["catalog"])
        environment = context.env or "local"
        self._environment_catalog = [] if environment == "base" else _catalog_files(conf / environment)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Store which nodes will run, and warn where there is no commit."""
        if reason := reason_without_commit(self._project):
            log.warning("The results cannot be traced to a commit: %s", reason)
        self._catalog = catalog
        self._measured.clear()
        results = {result for node in pipeline.nodes if (result := result_of(node))}
        self._unfinished = {
            result: {node.name for node in pipeline.nodes if result_of(node) == result} for result in results
        }

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Compute the digests of a node's inputs."""
        self._reads[node.name] = {name: self._measure(name) for name in _datasets(node.inputs)}
        self._unsaved[node.name] = set(node.outputs)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Compute the digest of an output; after the last one, add the node's step to the ledger."""
        self._forget(dataset_name)
        self._measure(dataset_name)
        self._unsaved[node.name].discard(dataset_name)
        if not self._unsaved[node.name]:
            self._add_step(node)
            self._finish(node)

    def _add_step(self, node: Node) -> None:
        stage = stage_of(node)
        nodes = {one.name for pipeline in pipelines.values() for one in pipeline.nodes if stage_of(one) == stage}
        step = Step(
            stage=stage,
            function=f"{node.func.__module__}.{node.func.__qualname__}",
            code=self._code(node),
            parameters={key: _lookup(self._parameters, key) for key in parameter_keys([node], self._options)},
            reads=self._reads.pop(node.name),
            writes={name: self._measure(name) for name in node.outputs},
        )
        add_step(self._data, node.name, step, nodes)

    def _finish(self, node: Node) -> None:
        """Write the record of a model or an analysis after the last of its nodes."""
        result = result_of(node)
        unfinished = self._unfinished.get(result or "", set())
        unfinished.discard(node.name)
        if result and not unfinished:
            self._write_record(result)

    def _write_record(self, model: str) -> None:
        file = record_file(self._data, model)
        try:
            steps = upstream_steps(read_ledgers(self._data)[0], model)
        except LineageError as error:
            file.unlink(missing_ok=True)  # it belongs to an earlier result
            log.warning("%s has no record of lineage. %s", model, error)
            return
        record = self._make_record(model, steps)
        if not record.is_analysis and not set(card_sources(record)) <= set(record.artifacts):
            log.info("%s has no record of lineage yet: only a part of it ran, without metrics.", model)
            return
        if not file.is_file() or file.read_bytes() != record.text.encode():
            file.with_name(SIGNATURE).unlink(missing_ok=True)  # it belongs to an earlier result
        record.write(file)
        if record.is_analysis:
            return
        sources = [self._project / record.artifacts[name].path for name in card_sources(record)]
        write_atomically(file.with_name(MODEL_CARD), read_and_write_card(record, *sources).encode())

    def _make_record(self, model: str, steps: dict[str, Step]) -> Record:
        code = {path for step in steps.values() for path in step.code}
        return Record(
            version=VERSION,
            result=model,
            museum=self._source(steps, model),
            source=describe_source(self._project, {*code, PARAMETERS, LOCK}),
            environment=describe_environment(self._project),
            overrides=self._overrides,
            steps=steps,
            tracked=self._tracked,
        )

    def _source(self, steps: Mapping[str, Step], model: str) -> str:
        """Return the source of a result; that of its former record where the model was not trained again."""
        models = [step.writes.get(f"{model}.model") for step in steps.values()]
        with suppress(LineageError):
            former = Record.read(record_file(self._data, model))
            if inconsistent_reads(steps) and former.artifacts.get(f"{model}.model") in models:
                return former.museum
        with suppress(LineageError):
            return source_address(steps)
        return sources_of(self._options).addresses

    def _code(self, node: Node) -> dict[str, str]:
        """Return the digest of each code file, catalog file and named file that affects a node's outputs."""
        files = files_behind([node], self._options)
        inside = all(file.is_relative_to(self._project) for file in files)
        root = self._project if inside else Path(commonpath(files))
        paths = {file.relative_to(root).as_posix(): file for file in files}
        others = [*self._output_catalog(node), *self._files_in_parameters(node)]
        paths |= {file.relative_to(self._project).as_posix(): file for file in others}
        return {path: self._code_digest(file) for path, file in sorted(paths.items())}

    def _code_digest(self, file: Path) -> str:
        if file not in self._code_digests:
            self._code_digests[file] = digest_file(file)
        return self._code_digests[file]

    def _output_catalog(self, node: Node) -> list[Path]:
        """Return the catalog files that configure a node's outputs."""
        names = {self._outputs.catalog_file(name) for name in node.outputs}
        return [*(self._project / name for name in names if name), *self._environment_catalog]

    def _files_in_parameters(self, node: Node) -> list[Path]:
        """Return the files that parameters name, except data, which has digests of its own."""
        files = [self._project / path for path in named_files(node, self._options)]
        inside = [file for file in files if file.is_file() and file.resolve().is_relative_to(self._project.resolve())]
        return [file for file in inside if not file.is_relative_to(self._project / "data")]

    def _forget(self, name: str) -> None:
        if path := dataset_path(self._catalog, name, self._project):
            self._measured.pop(path, None)

    def _measure(self, name: str) -> Artifact | None:
        """Return a data set's artifact, computed once until it is saved again; None for one in memory."""
        path = dataset_path(self._catalog, name, self._project)
        if path is None:
            return None
        if path not in self._measured:
            sources = self._shared_sources(name)
            now = measure(self._project / path, sources)
            self._measured[path] = Artifact(path=path.as_posix(), sources=sources, **now._asdict())
        return self._measured[path]

    def _shared_sources(self, name: str) -> tuple[str, ...]:
        """Return the source directories of this run in a folder that several sources share."""
        return sources_of(self._options).directories if name in BY_SOURCE else ()


def _catalog_files(conf: Path) -> list[Path]:
    """Return the catalog files of an environment."""
    return sorted(file for path in conf.glob("catalog*") for file in (path, *path.rglob("*")) if file.is_file())


def _datasets(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not is_parameter(name))


def _lookup(parameters: Mapping[str, Any], key: str) -> Any:
    value: Any = parameters
    for part in key.split("."):
        value = value[part]
    return value
