"""What a crate says of what happened: the actions, the data and the files, and the figures."""

from collections.abc import Iterator
from urllib.parse import quote

from art_pipeline.lineage.crate_words import (
    CARD,
    COMPLETED,
    ENGINE_RUN,
    KEDRO,
    RUN,
    WORKFLOW,
    Crate,
    Entity,
    entity,
    facts_of_file,
    kind_of,
    link,
    measured,
    metric_of,
    parameter_of,
    run_of,
    settings_of,
    step_of,
    tool_of,
    value_of,
)
from art_pipeline.lineage.digest import FOLDER, digest_bytes
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.licence import CODE, licence_of_data
from art_pipeline.lineage.record import RECORD, Artifact, Step

PINS_FORMAT = "https://pip.pypa.io/en/stable/reference/requirements-file-format/"
NAMES = {
    CARD: "Model card",
    LOCK: "Every package that was pinned",
    RECORD: "The record of lineage",
}


def run(crate: Crate) -> Iterator[Entity]:
    """Every entity that tells what was done, with what, and what came of it."""
    for tell in (_actions, _data, _files, _metrics):
        yield from tell(crate)


def _actions(crate: Crate) -> Iterator[Entity]:
    """What happened."""
    record = crate.record
    yield entity(
        RUN,
        "CreateAction",
        name=f"Run of the pipeline behind {record.result}",
        description="From the museum's records to the measured model.",
        instrument=link([quote(WORKFLOW)]),
        object=link(map(value_of, crate.settings)),
        result=link(map(crate.id_of_data, crate.results)),
        actionStatus=COMPLETED,
    )
    yield entity(
        ENGINE_RUN,
        "OrganizeAction",
        name="Run of Kedro",
        instrument=link([KEDRO]),
        object=link(map(_control_of, record.steps)),
        result=link([RUN]),
        actionStatus=COMPLETED,
    )
    for node, step in record.steps.items():
        yield from _actions_of_step(crate, node, step)


def _actions_of_step(crate: Crate, node: str, step: Step) -> Iterator[Entity]:
    values = map(value_of, settings_of(step))
    yield entity(
        run_of(node),
        "CreateAction",
        name=f"Run of {node}",
        description=f"{step.function}, in the stage {step.stage}.",
        instrument=link([tool_of(node)]),
        object=link([*map(crate.id_of_data, step.reads), *values]),
        result=link(map(crate.id_of_data, step.writes)),
        actionStatus=COMPLETED,
    )
    yield entity(
        _control_of(node),
        "ControlAction",
        name=f"Kedro's call of {node}",
        instrument=link([step_of(node)]),
        object=link([run_of(node)]),
        actionStatus=COMPLETED,
    )


def _control_of(node: str) -> str:
    return f"#control/{quote(node)}"


def _data(crate: Crate) -> Iterator[Entity]:
    """Data sets, in the crate or told by digest."""
    for name, artifact in crate.data.items():
        if artifact:
            yield _stored(name, artifact, crate)
        else:
            yield entity(
                crate.id_of_data(name),
                "PropertyValue",
                name=name,
                value="passed on in memory, and not stored",
                exampleOfWork=link([parameter_of(name)]),
            )


def _stored(name: str, artifact: Artifact, crate: Crate) -> Entity:
    absent = f"Not in this crate; its {artifact.files:,} files were at {artifact.path}."
    terms = CODE if name in crate.results else licence_of_data(crate.record)
    return entity(
        crate.id_of_data(name),
        kind_of(artifact),
        name=name,
        description=None if artifact.path in crate.files else absent.replace("1 files were", "one file was"),
        contentSize=str(artifact.size),
        identifier=f"md5:{artifact.digest}",
        license=link([terms.id]),
        exampleOfWork=link([parameter_of(name)]),
        **({} if artifact.digest.endswith(FOLDER) else facts_of_file(artifact.path, artifact.digest)),
    )


def _files(crate: Crate) -> Iterator[Entity]:
    """The other files: code, parameters, and words about the result."""
    data = {artifact.path for artifact in crate.record.artifacts.values()}
    digests = crate.code | {path: digest_bytes(content) for path, content in crate.files.items()}
    for path in sorted(digests.keys() - data - {WORKFLOW}):
        held = crate.files.get(path)
        yield entity(
            crate.id_of(path),
            "File",
            name=NAMES.get(path, path),
            description="Not in this crate, as it ran with changes that were not committed." if held is None else None,
            contentSize=None if held is None else str(len(held)),
            about=link(["./"] if path == CARD else []),
            conformsTo=link([PINS_FORMAT] if path == LOCK else []),
            **facts_of_file(path, digests[path]),
        )
    if LOCK in crate.files:
        yield entity(PINS_FORMAT, "CreativeWork", name="Requirements file format of pip")


def _metrics(crate: Crate) -> Iterator[Entity]:
    """The figures, with the ends of their intervals."""
    intervals = crate.told.metrics.get("interval_95", {})
    for name, value in measured(crate).items():
        ends = intervals.get(name, {})
        yield entity(
            metric_of(name),
            "PropertyValue",
            name=name,
            value=value,
            minValue=ends.get("low"),
            maxValue=ends.get("high"),
            description="From minValue to maxValue goes the 95 % interval, by bootstrap." if ends else None,
        )
