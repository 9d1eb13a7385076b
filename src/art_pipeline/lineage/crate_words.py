"""The words of a crate: its entities, the links between them, and what each thing is called in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from art_pipeline.common.options import flatten
from art_pipeline.lineage.digest import FOLDER
from art_pipeline.lineage.record import Artifact, Record, Step

CARD = "README.md"
WORKFLOW = "src/art_pipeline/pipeline_registry.py"
RUN, ENGINE_RUN, ENVIRONMENT = "#run", "#engine-run", "#environment"
KEDRO, PYTHON = "https://kedro.org/", "https://www.python.org/"
# Not those that the system knows, which differ from one to the next.
ENCODINGS = {
    "": "text/plain",
    ".csv": "text/csv",
    ".j2": "text/plain",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".py": "text/x-python",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
COMPLETED = "http://schema.org/CompletedActionStatus"
# The words that RO-Crate 1.1 does not have yet.
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {
        "buildInstructions": "https://codemeta.github.io/terms/buildInstructions",
        "md5": "https://w3id.org/ro/terms/workflow-run#md5",
    },
]
ABOUT_WORKFLOWS = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
SPECIFICATIONS = ("https://w3id.org/ro/crate/1.1", ABOUT_WORKFLOWS)
# Address -> name and version, of all that the crate conforms to.
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    ABOUT_WORKFLOWS: ("Workflow RO-Crate", "1.0"),
}
WORKFLOW_PROFILE = {
    "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE": ("ComputationalWorkflow", "1.0-RELEASE")
}

Entity = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What is said of a result beside its record.

    Attributes:
        card: The model card, in Markdown.
        metrics: What `metrics.compute_metrics` returned.
        date: In ISO 8601, in place of the commit's; None for the commit's.
    """

    card: str
    metrics: Mapping[str, Any]
    date: str | None = None


@dataclass(frozen=True)
class Crate:
    """A crate to be described.

    Attributes:
        record: Of the result.
        told: What else is said of it.
        files: All that it holds, by path; data and code that are not among them are told by digest.
        published: Its date.
    """

    record: Record
    told: Told
    files: Mapping[str, bytes]
    published: str

    @property
    def data(self) -> dict[str, Artifact | None]:
        """Every data set by name, those passed on in memory too."""
        return {name: written for step in self.record.steps.values() for name, written in step.writes.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """Every parameter that was read, by its key in params.yaml."""
        return {key: value for step in self.record.steps.values() for key, value in settings_of(step).items()}

    @property
    def code(self) -> dict[str, str]:
        """Digest of every file of code that ran, by path."""
        return {path: md5 for step in self.record.steps.values() for path, md5 in step.code.items()}

    @property
    def results(self) -> list[str]:
        """Names of the data sets that the model's own stage left."""
        return [name for name in self.record.artifacts if name.startswith(f"{self.record.result}.")]

    def id_of(self, path: str, folder: bool = False) -> str:
        """Where something is in the crate, or a name for what is not in it."""
        return quote(path) if path in self.files else f"#{quote(path)}{'/' if folder else ''}"

    def id_of_data(self, name: str) -> str:
        """The same for a data set."""
        artifact = self.data.get(name)
        return self.id_of(artifact.path, artifact.digest.endswith(FOLDER)) if artifact else f"#memory/{quote(name)}"


def settings_of(step: Step) -> dict[str, Any]:
    """The parameters that a step read, one by one."""
    return {key.removeprefix("."): value for key, value in flatten(step.parameters)}


def entity(address: str, kind: str | list[str], /, **properties: object) -> Entity:
    """One thing; a property that there is none of is left out."""
    given = {key: value for key, value in properties.items() if value is not None and value != []}
    return {"@id": address, "@type": kind, **given}


def link(names: Iterable[str]) -> Entity | list[Entity]:
    """To one thing or several; to none, an empty list."""
    links = [{"@id": name} for name in dict.fromkeys(names)]
    return links[0] if len(links) == 1 else links


def run_of(node: str) -> str:
    """What a node did."""
    return f"#run/{quote(node)}"


def step_of(node: str) -> str:
    """A node's place in the plan."""
    return f"{quote(WORKFLOW)}#{quote(node)}"


def tool_of(node: str) -> str:
    """What a node calls."""
    return f"#tool/{quote(node)}"


def parameter_of(name: str) -> str:
    """A data set, whatever it holds."""
    return f"#parameter/{quote(name)}"


def setting_of(key: str) -> str:
    """A setting, whatever it holds; it may be called as a data set is."""
    return f"#setting/{quote(key)}"


def value_of(key: str) -> str:
    """What a setting held."""
    return f"#value/{quote(key)}"


def kind_of(artifact: Artifact | None) -> str:
    """The type of a data set."""
    if artifact is None:
        return "PropertyValue"
    return "Dataset" if artifact.digest.endswith(FOLDER) else "File"


def version_of(record: Record) -> str:
    """Of the code."""
    changes = f", with changes ({record.source.changes})" if record.source.changes else ""
    return f"{record.source.commit or 'in no git repository'}{changes}"


def facts_of_file(path: str, md5: str) -> dict[str, str]:
    """Digest and kind of a file."""
    return {"encodingFormat": ENCODINGS.get(PurePosixPath(path).suffix, "application/octet-stream"), "md5": md5}


def metric_of(name: str) -> str:
    """A figure."""
    return f"#metric/{quote(name)}"


def measured(crate: Crate) -> dict[str, float]:
    """The figures that are defined."""
    return {name: value for name, value in crate.told.metrics.items() if isinstance(value, int | float)}
