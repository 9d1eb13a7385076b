"""The metadata of a Provenance Run Crate: plan (workflow, steps, parameters) and run (actions, data, metrics)."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote

from rocrate.model import ComputerLanguage, ContextEntity
from rocrate.rocrate import ROCrate

from art_pipeline.common.options import flatten
from art_pipeline.lineage.digest import FOLDER, digest_bytes
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.licence import CODE, licence_of_data
from art_pipeline.lineage.record import RECORD, Record, Step
from art_pipeline.lineage.ro_crate_terms import PROFILES, TERMS, WORKFLOW_PROFILE, media_type
from art_pipeline.lineage.task import predicts

CARD = "README.md"
WORKFLOW = "src/art_pipeline/pipeline_registry.py"
TITLES = {CARD: "Model card", LOCK: "Pinned packages", RECORD: "Record of lineage"}
KEDRO, PYTHON = "https://kedro.org/", "https://www.python.org/"
UNKNOWN = "unknown"  # platform of a result that DVC restored
COMPLETED = "http://schema.org/CompletedActionStatus"
PINS_FORMAT = "https://pip.pypa.io/en/stable/reference/requirements-file-format/"
VERSION = "1.1"  # of RO-Crate, which the profiles below extend
SCALARS = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}


class CrateBuilder:
    """Builds the crate of a result.

    Args:
        record: The record of the result.
        metrics: As returned by `metrics.compute_metrics`.
        files: Content of every file of the crate, by path; other data and code are described by digest.
        published: Publication date in ISO 8601.
    """

    def __init__(self, record: Record, metrics: Mapping[str, Any], files: Mapping[str, bytes], published: str):
        self._record = record
        self._metrics = metrics
        self._files = files
        self._crate = ROCrate(version=VERSION)
        self._crate.datePublished = published  # in place of the current time
        self._crate.metadata.extra_terms.update(TERMS)
        self._data = {name: one for step in record.steps.values() for name, one in step.writes.items()}
        self._settings = {key: value for step in record.steps.values() for key, value in _settings(step).items()}
        self._results = [name for name in record.artifacts if name.startswith(f"{record.result}.")]

    def build(self) -> ROCrate:
        """Return the crate, ready to be written."""
        self._add_root()
        self._add_workflow()
        self._add_software()
        self._add_other_files()
        self._add_data()
        self._add_settings()
        self._add_run()
        for position, (node, step) in enumerate(self._record.steps.items(), start=1):
            self._add_step(node, step, position)
        self._add_metrics()
        return self._crate

    def _add_root(self) -> None:
        record, root = self._record, self._crate.root_dataset
        licences = (CODE, licence_of_data(record))
        root["name"] = f"{record.result}, with its provenance"
        root["description"] = (
            f"An artwork classifier, {record.result}, {predicts(record)}trained on objects of {record.museum}: its "
            "metrics, and by digest the code, the parameters, the packages and the data that they were computed from. "
            "Data whose @id begins with # are not in the crate; their identifier is the digest by which DVC keeps them."
        )
        root["license"] = _refs(licence.id for licence in licences)
        root["conformsTo"] = _refs(PROFILES)
        root["mentions"] = _refs(["#run", "#engine-run", *_ids("#run/", record.steps)])
        for licence in licences:
            url = None if licence.id.startswith("#") else licence.id
            self._add(licence.id, "CreativeWork", name=licence.name, description=licence.description, url=url)
        for profile, (name, version) in {**PROFILES, **WORKFLOW_PROFILE}.items():
            self._add(profile, "CreativeWork", name=name, version=version)

    def _add_workflow(self) -> None:
        """Add the file that defines the Kedro pipelines as the crate's workflow."""
        record = self._record
        properties = _present(
            **_file_properties(WORKFLOW, digest_bytes(self._files[WORKFLOW])),
            name=f"The Kedro pipeline of {record.result}",
            conformsTo=_refs(WORKFLOW_PROFILE),
            version=_code_version(record),
            license=_refs([CODE.id]),
            url=_refs([quote(WORKFLOW)]),
            hasPart=_refs(_ids("#tool/", record.steps)),
            step=_refs(_ids(f"{quote(WORKFLOW)}#", record.steps)),
            input=_refs(_ids("#setting/", self._settings)),
            output=_refs(_ids("#parameter/", self._results)),
            softwareRequirements=_refs(["#environment", KEDRO]),
            buildInstructions=_refs([LOCK] if LOCK in self._files else []),
        )
        properties["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
        version = {"name": "Python", "version": record.environment.python or UNKNOWN, "url": PYTHON}
        python = self._crate.add(ComputerLanguage(self._crate, PYTHON, version))
        source = BytesIO(self._files[WORKFLOW])
        self._crate.add_workflow(source, WORKFLOW, properties=properties, main=True, lang=python)

    def _add_software(self) -> None:
        environment = self._record.environment
        version = environment.packages.get("kedro", UNKNOWN)
        self._add(KEDRO, "SoftwareApplication", name="Kedro", softwareVersion=version, url=KEDRO)
        packages = "the pinned packages" if self._record.rebuilt else f"{len(environment.packages)} packages"
        self._add(
            "#environment",
            "SoftwareApplication",
            name="Python environment",
            description=f"Python with {packages}.",
            softwareVersion=environment.python or UNKNOWN,
            operatingSystem=environment.platform or UNKNOWN,
            processorRequirements=" ".join(environment.cpu) or UNKNOWN,
            url=PYTHON,
        )

    def _add_other_files(self) -> None:
        """Add code, parameters and documents."""
        artifacts = {artifact.path for artifact in self._record.artifacts.values()}
        digests = {path: md5 for step in self._record.steps.values() for path, md5 in step.code.items()}
        digests |= {path: digest_bytes(content) for path, content in self._files.items()}
        missing = "Not in this crate, since it ran with uncommitted changes."
        for path in sorted(digests.keys() - artifacts - {WORKFLOW}):
            self._add_part(
                path,
                "File",
                name=TITLES.get(path, path),
                description=None if path in self._files else missing,
                contentSize=str(len(self._files[path])) if path in self._files else None,
                about=_refs(["./"] if path == CARD else []),
                conformsTo=_refs([PINS_FORMAT] if path == LOCK else []),
                **_file_properties(path, digests[path]),
            )
        if LOCK in self._files:
            self._add(PINS_FORMAT, "CreativeWork", name="Requirements file format of pip")

    def _add_data(self) -> None:
        """Add the data sets, and a formal parameter for each."""
        for name, artifact in self._data.items():
            folder = artifact is not None and artifact.digest.endswith(FOLDER)
            kind = ("Dataset" if folder else "File") if artifact else "PropertyValue"
            parameter = f"#parameter/{quote(name)}"
            self._add(parameter, "FormalParameter", name=name, additionalType=kind)
            if artifact is None:
                value = "passed in memory, not stored"
                self._add(self._data_id(name), kind, name=name, value=value, exampleOfWork=_refs([parameter]))
                continue
            licence = CODE if name in self._results else licence_of_data(self._record)
            missing = f"Not in this crate; number of files at {artifact.path}: {artifact.files:,}."
            self._add_part(
                artifact.path,
                kind,
                name=name,
                description=None if artifact.path in self._files else missing,
                contentSize=str(artifact.size),
                identifier=f"md5:{artifact.digest}",
                license=_refs([licence.id]),
                exampleOfWork=_refs([parameter]),
                **({} if folder else _file_properties(artifact.path, artifact.digest)),
            )

    def _add_settings(self) -> None:
        """Add the values of params.yaml, and a formal parameter for each."""
        for key, value in self._settings.items():
            setting = f"#setting/{quote(key)}"
            self._add(setting, "FormalParameter", name=key, additionalType=SCALARS.get(type(value), "Text"))
            self._add(
                f"#value/{quote(key)}",
                "PropertyValue",
                name=key,
                value=value if type(value) in SCALARS else json.dumps(value),
                description="Not from params.yaml." if key in self._record.overrides else None,
                exampleOfWork=_refs([setting]),
            )

    def _add_run(self) -> None:
        record, values = self._record, _ids("#value/", self._settings)
        results = map(self._data_id, self._results)
        self._add_action(
            "#run", "CreateAction", f"Run of the pipeline of {record.result}", quote(WORKFLOW), values, results
        )
        controls = _ids("#control/", record.steps)
        self._add_action("#engine-run", "OrganizeAction", "Run of Kedro", KEDRO, controls, ["#run"])

    def _add_step(self, node: str, step: Step, position: int) -> None:
        """Add a node: its place in the workflow, the function that it calls, and its run."""
        [place], [tool], [run] = (_ids(prefix, [node]) for prefix in (f"{quote(WORKFLOW)}#", "#tool/", "#run/"))
        settings = _settings(step)
        self._add(place, "HowToStep", name=node, position=str(position), workExample=_refs([tool]))
        self._add(
            tool,
            "SoftwareSourceCode",
            name=step.function,
            description=f"The function of the node {node} in the stage {step.stage}, with everything that it imports.",
            version=_code_version(self._record),
            url=_refs([self._module_id(step)]),
            programmingLanguage=_refs([PYTHON]),
            hasPart=_refs(map(self._file_id, step.code)),
            input=_refs([*_ids("#parameter/", step.reads), *_ids("#setting/", settings)]),
            output=_refs(_ids("#parameter/", step.writes)),
        )
        read = [*map(self._data_id, step.reads), *_ids("#value/", settings)]
        self._add_action(run, "CreateAction", f"Run of {node}", tool, read, map(self._data_id, step.writes))
        [control] = _ids("#control/", [node])
        self._add_action(control, "ControlAction", f"Kedro's call of {node}", place, [run])

    def _add_metrics(self) -> None:
        intervals = self._metrics.get("interval_95", {})
        flat = flatten({name: value for name, value in self._metrics.items() if name != "interval_95"})
        metrics = {name: value for name, value in flat if isinstance(value, int | float)}
        for name, value in metrics.items():
            interval = intervals.get(name, {})
            self._add(
                f"#metric/{quote(name)}",
                "PropertyValue",
                name=name,
                value=value,
                minValue=interval.get("low"),
                maxValue=interval.get("high"),
                description="minValue and maxValue are the 95% bootstrap interval." if interval else None,
            )
        self._crate.root_dataset["variableMeasured"] = _refs(_ids("#metric/", metrics))

    def _add_action(
        self, address: str, kind: str, name: str, instrument: str, objects: Iterable[str], results: Iterable[str] = ()
    ) -> None:
        self._add(
            address,
            kind,
            name=name,
            description=f"{name}, as recorded in {RECORD}.",
            instrument=_refs([instrument]),
            object=_refs(objects),
            result=_refs(results),
            actionStatus=COMPLETED,
        )

    def _add(self, address: str, kind: str, /, **properties: object) -> None:
        self._crate.add(ContextEntity(self._crate, address, {"@type": kind, **_present(**properties)}))

    def _add_part(self, path: str, kind: str, /, **properties: object) -> None:
        """Add a file of the crate, or describe one that is not in it."""
        if path in self._files:
            self._crate.add_file(BytesIO(self._files[path]), path, properties=_present(**properties))
            return
        identifier = self._file_id(path, folder=kind == "Dataset")
        self._add(identifier, kind, **properties)
        self._crate.root_dataset.append_to("hasPart", {"@id": identifier})

    def _file_id(self, path: str, folder: bool = False) -> str:
        return quote(path) if path in self._files else f"#{quote(path)}{'/' if folder else ''}"

    def _data_id(self, name: str) -> str:
        artifact = self._data.get(name)
        return self._file_id(artifact.path, artifact.digest.endswith(FOLDER)) if artifact else f"#memory/{quote(name)}"

    def _module_id(self, step: Step) -> str:
        """Return the file of a step's function."""
        module = step.function.rpartition(".")[0].replace(".", "/")
        return next((self._file_id(path) for path in step.code if path.endswith(f"{module}.py")), quote(WORKFLOW))


def _file_properties(path: str, md5: str) -> dict[str, str]:
    return {"encodingFormat": media_type(path), "md5": md5}


def _settings(step: Step) -> dict[str, Any]:
    """Return the parameters of a step by their dotted keys."""
    return {key.removeprefix("."): value for key, value in flatten(step.parameters)}


def _ids(prefix: str, names: Iterable[str]) -> list[str]:
    return [f"{prefix}{quote(name)}" for name in names]


def _refs(identifiers: Iterable[str]) -> dict[str, str] | list[dict[str, str]]:
    """Return references to entities: one, or a list."""
    refs = [{"@id": one} for one in dict.fromkeys(identifiers)]
    return refs[0] if len(refs) == 1 else refs


def _present(**properties: object) -> dict[str, object]:
    """Return the properties that have a value."""
    return {key: value for key, value in properties.items() if value is not None and value != []}


def _code_version(record: Record) -> str:
    changes = f", with uncommitted changes ({record.source.changes})" if record.source.changes else ""
    return f"{record.source.commit or 'no commit'}{changes}"
