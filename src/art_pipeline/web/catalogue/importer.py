"""Import a finished run into the catalogue database.

An import is a series of steps: artworks, each model, each store of features; then the facets. A step whose files are
those of its last import is skipped; another one writes what differs, in transactions of some thousand rows, so that an
interrupted import continues, and pages can be read meanwhile. What people added (uploads, decisions) stays.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.utils import timezone

from art_pipeline.common.progress import in_stage
from art_pipeline.common.run_lock import only_run
from art_pipeline.web.audit import importing as audits
from art_pipeline.web.catalogue.facets import write_facets
from art_pipeline.web.catalogue.importing.artworks import all_keys, write_artworks
from art_pipeline.web.catalogue.importing.features import is_global, write_features
from art_pipeline.web.catalogue.importing.labels import count_terms, remove_unused, write_vocabularies
from art_pipeline.web.catalogue.importing.names import count_long
from art_pipeline.web.catalogue.importing.predictions import remove_former, write_model
from art_pipeline.web.catalogue.importing.rows import in_transaction
from art_pipeline.web.catalogue.model_result import ModelFiles
from art_pipeline.web.catalogue.models import Feature, ImportedRun, ImportStep, Prediction, TrainedModel, Vocabulary
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.discovery import importing as clusterings
from art_pipeline.web.generated import importing as generators
from art_pipeline.web.similar import importing as similar

VERSION = 2  # raised where the same files give other rows
ARTWORKS, MODEL, FEATURES = "artworks", "model ", "features "  # names of steps
CLUSTERING, SIMILAR, AUDIT, GENERATOR = "clustering ", "similar ", "audit ", "generator "
MLFLOW = "models:/"
SHORTENED = ("title", "artist", "object_date", "culture")


def import_run(run: RunFolder) -> ImportedRun:
    """Import a run.

    Returns:
        The import; the last one where the same files were imported last.

    Raises:
        RunningError: Another import is running.
        WebError: The run has not finished its download.
    """
    with only_run(settings.STATE), in_stage("import"):
        artworks, models = _digest([run.objects_digest()]), run.models()
        changed = [
            _step(ARTWORKS, artworks, lambda: _import_artworks(run)),
            *_import_models(models, artworks),
            *_import_features(run, artworks),
            *_import_analyses(CLUSTERING, clusterings, clusterings.find_clusterings(run.data), artworks),
            *_import_analyses(SIMILAR, similar, similar.find_spaces(run.data), artworks),
            *_import_analyses(AUDIT, audits, audits.find_audits(run.data), artworks),
            *_import_analyses(GENERATOR, generators, generators.find_generators(run.data), artworks),
        ]
        digest, last = _digest([run.digest()]), ImportedRun.latest()
        if last is None or any(changed) or (last.data, last.digest) != (run.data.name, digest):
            last = in_transaction(lambda: _finish(run, digest, models))
        remove_former()
        return last


def import_models(models: Sequence[ModelFiles]) -> None:
    """Import models, such as those of MLflow, with their predictions for the artworks that are there.

    Raises:
        RunningError: Another import is running.
        WebError: No imported run has the task of a model.
    """
    with only_run(settings.STATE), in_stage("import"):
        for files in models:
            _write_model(files)
        write_facets()
        remove_former()


def _import_artworks(run: RunFolder) -> None:
    labellings = in_transaction(lambda: write_vocabularies(run))
    write_artworks(run, labellings)
    in_transaction(lambda: remove_unused(labellings))
    in_transaction(lambda: count_terms(Vocabulary.objects.all()))


def _import_models(models: Iterable[ModelFiles], artworks: str) -> Iterator[bool]:
    for files in models:
        digest = _digest([artworks, files.digest()])
        yield _step(f"{MODEL}{files.name}", digest, partial(_write_model, files))


def _write_model(files: ModelFiles) -> None:
    write_model(files.read(), all_keys())


def _import_features(run: RunFolder, artworks: str) -> Iterator[bool]:
    stores = {name: store for name, store in run.stores().items() if is_global(store)}
    for name, store in stores.items():
        digest = _digest([artworks, run.store_digest(name)])
        yield _step(f"{FEATURES}{name}", digest, partial(write_features, name, store))
    former = ImportStep.objects.filter(name__startswith=FEATURES)
    for step in former.exclude(name__in=[f"{FEATURES}{name}" for name in stores]):
        Feature.objects.filter(kind=step.name.removeprefix(FEATURES)).delete()
        step.delete()


def _import_analyses(step: str, app: ModuleType, folders: Mapping[str, Path], artworks: str) -> Iterator[bool]:
    """Import the analyses of one kind, by the functions ``digest_of``, ``write`` and ``remove_others`` of its app."""
    for name, folder in folders.items():
        digest = _digest([artworks, app.digest_of(folder)])
        yield _step(f"{step}{name}", digest, partial(app.write, name, folder))
    names = [f"{step}{name}" for name in folders]
    former = ImportStep.objects.filter(name__startswith=step).exclude(name__in=names)
    if former.exists():
        former.delete()
    yield app.remove_others(list(folders))


def _step(name: str, digest: str, work: Callable[[], None]) -> bool:
    """Do a step unless its last complete import was of the same files; return whether it was done."""
    if ImportStep.objects.filter(name=name, digest=digest).exists():
        return False
    ImportStep.objects.filter(name=name).delete()
    work()
    ImportStep.objects.create(name=name, digest=digest)
    return True


def _finish(run: RunFolder, digest: str, models: Sequence[ModelFiles]) -> ImportedRun:
    names = [model.name for model in models]
    TrainedModel.objects.exclude(name__in=names).exclude(address__startswith=MLFLOW).update(is_current=False)
    ImportStep.objects.filter(name__startswith=MODEL).exclude(name__in=[f"{MODEL}{name}" for name in names]).delete()
    write_facets()
    columns = {*SHORTENED, *(task.column for task in run.tasks.values())} & set(run.objects)
    return ImportedRun.objects.create(
        data=run.data.name,
        digest=digest,
        is_sample=run.is_sample,
        finished=timezone.now(),
        artworks=len(run.objects),
        predictions=Prediction.objects.filter(model__is_current=True).count(),
        shortened=sum(count_long(run.objects[name]) for name in columns),
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join([str(VERSION), *parts]).encode()).hexdigest()
