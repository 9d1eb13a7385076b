"""Read what is shown of a finished run from its data folder."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from pyarrow.parquet import read_schema

from art_pipeline.errors import WebError
from art_pipeline.features.store import EXTRACTOR, INDEX, FeatureStore
from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.record import record_file
from art_pipeline.models.classifier import METADATA
from art_pipeline.web.catalogue.model_result import PREDICTIONS, ModelFiles

# Columns of the table of objects that one can filter by, with their titles; a task may replace one.
COLUMNS = {"century": "Century", "artist": "Artist", "culture": "Culture", "source": "Source", "licence": "Licence"}
# Columns of the table of objects that are read, apart from those of tasks.
READ = (
    *("object_id", "status", "title", "object_name", "artist", "artist_nationality", "object_date"),
    *("object_begin_date", "culture", "medium", "object_url", "tags", "classification", "department", "period"),
    *("repository", "is_supplement", *COLUMNS),
)


@dataclass(frozen=True)
class TaskInfo:
    """A task of params.yaml.

    Attributes:
        name: Its name.
        column: The column of the table of objects.
        multilabel: Whether an object has any number of labels.
    """

    name: str
    column: str
    multilabel: bool


@dataclass(frozen=True)
class RunFolder:
    """The data folder of a finished run.

    Attributes:
        data: The folder.
        tasks: Tasks of params.yaml by name.
        is_sample: Whether its source is the sample museum.
    """

    data: Path
    tasks: Mapping[str, TaskInfo]
    is_sample: bool = False

    @cached_property
    def objects(self) -> pd.DataFrame:
        """The table of objects, with the facts of their images: a row per object that was fetched.

        Raises:
            WebError: The run has not finished its download.
        """
        objects = self._table("objects", [*READ, *(task.column for task in self.tasks.values())])
        images = self._table("image_table", ["object_id", "status", "mode", "width", "height"])
        facts = images.set_index("object_id").add_prefix("image_")
        return objects[objects["status"] == "ok"].join(facts, on="object_id")

    def image_file(self, object_id: int) -> Path:
        """Return the path of the standardized image of an object."""
        return self.data / "02_intermediate" / "images" / f"{object_id}.jpg"

    def manifest(self, task: str) -> pd.DataFrame | None:
        """Return the manifest of a task: ``object_id``, ``label``, ``split``; None before its stage has run."""
        file = self.data / "03_primary" / task / "manifest.parquet"
        return pd.read_parquet(file) if file.exists() else None

    def models(self) -> list[ModelFiles]:
        """Return the models of the run's tasks that have predictions and a lineage record, sorted by name."""
        names = sorted(file.parent.name for file in (self.data / "06_models").glob(f"[!.]*/{METADATA}"))
        found = [self._model(name) for name in names]
        return [one for one in found if one.is_complete() and one.task in self.tasks]

    def stores(self) -> dict[str, FeatureStore]:
        """Return the stores of features by name."""
        files = sorted((self.data / "04_feature").glob(f"[!.]*/{INDEX}"))
        return {file.parent.name: FeatureStore(file.parent) for file in files}

    def objects_digest(self) -> str:
        """Return a digest of the artworks and their labels: of tables, tasks, and sizes and times of the images."""
        files = [self.data / "02_intermediate" / f"{name}.parquet" for name in ("objects", "image_table")]
        files += sorted(self.data.glob("03_primary/*/manifest.parquet"))
        tasks = [repr(self.tasks[name]) for name in sorted(self.tasks)]
        return _digest([*tasks, *self._digests(files), *self._image_states()])

    def store_digest(self, name: str) -> str:
        """Return a digest of a store of features."""
        folder = self.data / "04_feature" / name
        return _digest(self._digests([folder / EXTRACTOR, folder / INDEX]))

    def digest(self) -> str:
        """Return a digest of all that is imported."""
        models = [one.digest() for one in self.models()]
        return _digest([self.objects_digest(), *models, *map(self.store_digest, self.stores())])

    def _digests(self, files: Iterable[Path]) -> Iterator[str]:
        for file in files:
            if file.exists():
                yield f"{file.relative_to(self.data).as_posix()} {digest_file(file)}"

    def _image_states(self) -> Iterator[str]:
        with self._expecting_run(), os.scandir(self.data / "02_intermediate" / "images") as entries:
            facts = [(one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in entries]
        yield from map(str, sorted(facts))

    @contextmanager
    def _expecting_run(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise WebError(
                f"There is no finished run in {self.data.name}. Start one: make run; or make quick, and then "
                "make web ENV=quick."
            ) from error

    def _table(self, name: str, columns: Iterable[str]) -> pd.DataFrame:
        file = self.data / "02_intermediate" / f"{name}.parquet"
        with self._expecting_run():
            present = set(read_schema(file).names)
            return pd.read_parquet(file, columns=[one for one in dict.fromkeys(columns) if one in present])

    def _model(self, name: str) -> ModelFiles:
        return ModelFiles(
            name=name,
            model=self.data / "06_models" / name,
            results=self.data / "08_reporting" / name,
            record=record_file(self.data, name),
            predictions=self.data / "07_model_output" / name / PREDICTIONS,
            address=f"06_models/{name}",
            data=self.data.name,
        )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
