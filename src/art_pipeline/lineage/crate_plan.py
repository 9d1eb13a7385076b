"""What a crate says of the plan: the crate as a whole, and the Kedro pipeline as a workflow."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from art_pipeline.lineage.crate_words import (
    ENGINE_RUN,
    ENVIRONMENT,
    KEDRO,
    PROFILES,
    PYTHON,
    RUN,
    SPECIFICATIONS,
    WORKFLOW,
    WORKFLOW_PROFILE,
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
    setting_of,
    settings_of,
    step_of,
    tool_of,
    value_of,
    version_of,
)
from art_pipeline.lineage.digest import digest_bytes
from art_pipeline.lineage.environment import LOCK
from art_pipeline.lineage.licence import CODE, licence_of_data
from art_pipeline.lineage.record import Step

UNKNOWN = "unknown"  # what a result ran on that DVC brought
SCALARS = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}


def plan(crate: Crate) -> Iterator[Entity]:
    """Every entity that tells what the crate is, and what was to be done."""
    for tell in (_frame, _terms, _workflow, _engine, _tools, _parameters):
        yield from tell(crate)


def _frame(crate: Crate) -> Iterator[Entity]:
    """The crate as a whole."""
    conforms = link(SPECIFICATIONS)
    yield entity("ro-crate-metadata.json", "CreativeWork", about=link(["./"]), conformsTo=conforms)
    stored = {crate.id_of_data(name) for name in crate.record.artifacts}
    yield entity(
        "./",
        "Dataset",
        name=f"{crate.record.result}, and where it comes from",
        description=f"An artwork classifier, {crate.record.result}, trained on objects of {crate.record.museum}: its "
        "figures, and by digest the code, the parameters, the packages and the data that made them. Data whose "
        "@id begins with # are not in the crate; their identifier is the digest by which DVC keeps them.",
        datePublished=crate.published,
        license=link([CODE.id, licence_of_data(crate.record).id]),
        conformsTo=link(PROFILES),
        mainEntity=link([quote(WORKFLOW)]),
        hasPart=link(sorted({*map(quote, crate.files), *stored, *map(crate.id_of, crate.code)})),
        mentions=link([RUN, ENGINE_RUN, *map(run_of, crate.record.steps)]),
        variableMeasured=link(map(metric_of, measured(crate))),
    )
    for profile, (name, version) in {**PROFILES, **WORKFLOW_PROFILE}.items():
        yield entity(profile, "CreativeWork", name=name, version=version)


def _terms(crate: Crate) -> Iterator[Entity]:
    for licence in (CODE, licence_of_data(crate.record)):
        url = None if licence.id.startswith("#") else licence.id
        yield entity(licence.id, "CreativeWork", name=licence.name, description=licence.told, url=url)


def _workflow(crate: Crate) -> Iterator[Entity]:
    """The plan: what Kedro runs, on what."""
    record = crate.record
    yield entity(
        quote(WORKFLOW),
        ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        **facts_of_file(WORKFLOW, digest_bytes(crate.files[WORKFLOW])),
        name=f"The Kedro pipeline behind {record.result}",
        conformsTo=link(WORKFLOW_PROFILE),
        programmingLanguage=link([PYTHON]),
        version=version_of(record),
        license=link([CODE.id]),
        url=link([quote(WORKFLOW)]),
        hasPart=link(map(tool_of, record.steps)),
        step=link(map(step_of, record.steps)),
        input=link(map(setting_of, crate.settings)),
        output=link(map(parameter_of, crate.results)),
        softwareRequirements=link([ENVIRONMENT, KEDRO]),
        buildInstructions=link([LOCK] if LOCK in crate.files else []),
    )


def _engine(crate: Crate) -> Iterator[Entity]:
    """What runs the plan, and what it runs on."""
    environment = crate.record.environment
    yield entity(PYTHON, "ComputerLanguage", name="Python", version=environment.python or UNKNOWN, url=PYTHON)
    version = environment.packages.get("kedro", UNKNOWN)
    yield entity(KEDRO, "SoftwareApplication", name="Kedro", softwareVersion=version, url=KEDRO)
    yield entity(
        ENVIRONMENT,
        "SoftwareApplication",
        name="What calculated",
        description="Python with the packages that were pinned."
        if crate.record.rebuilt
        else f"Python with {len(environment.packages)} packages, whose versions the record has.",
        softwareVersion=environment.python or UNKNOWN,
        operatingSystem=environment.platform or UNKNOWN,
        processorRequirements=" ".join(environment.cpu) or UNKNOWN,
        url=PYTHON,
    )


def _tools(crate: Crate) -> Iterator[Entity]:
    """Each node: its place in the plan, and the function that it calls."""
    for position, (node, step) in enumerate(crate.record.steps.items(), start=1):
        tool = tool_of(node)
        yield entity(step_of(node), "HowToStep", name=node, position=str(position), workExample=link([tool]))
        yield entity(
            tool,
            "SoftwareSourceCode",
            name=step.function,
            description=f"What the node {node} of the stage {step.stage} calls, with all that it imports.",
            version=version_of(crate.record),
            url=link([_home_of(step, crate)]),
            programmingLanguage=link([PYTHON]),
            hasPart=link(map(crate.id_of, step.code)),
            input=link([*map(parameter_of, step.reads), *map(setting_of, settings_of(step))]),
            output=link(map(parameter_of, step.writes)),
        )


def _parameters(crate: Crate) -> Iterator[Entity]:
    """Data sets and settings by name, and the settings' values."""
    for name, artifact in crate.data.items():
        yield entity(parameter_of(name), "FormalParameter", name=name, additionalType=kind_of(artifact))
    for key, value in crate.settings.items():
        kind = SCALARS.get(type(value), "Text")
        yield entity(setting_of(key), "FormalParameter", name=key, additionalType=kind)
        past = "Set past params.yaml." if key in crate.record.overrides else None
        yield entity(
            value_of(key),
            "PropertyValue",
            name=key,
            value=value if type(value) in SCALARS else json.dumps(value),
            description=past,
            exampleOfWork=link([setting_of(key)]),
        )


def _home_of(step: Step, crate: Crate) -> str:
    """The file that a step's function is written in."""
    module = step.function.rpartition(".")[0].replace(".", "/")
    return next((crate.id_of(path) for path in step.code if path.endswith(f"{module}.py")), quote(WORKFLOW))
