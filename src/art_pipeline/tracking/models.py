"""Storing trained models in MLflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from art_pipeline.common.distributions import find_distribution
from art_pipeline.common.keras_runtime import ComputeOptions

NOT_IN_NAMES = "/:.%\"'"  # MLflow refuses these characters


def log_model(name: str, folder: Path, example: Path, parameters: Mapping[str, Any]) -> str:
    """Store a model in the active run.

    Args:
        name: Name of the model.
        folder: Folder of the trained model.
        example: An image file, as the input example.
        parameters: Parameters of the run.

    Returns:
        The model id, which MLflow loads as ``models:/<id>``.
    """
    import mlflow.pyfunc
    import pandas as pd

    stored = mlflow.pyfunc.log_model(
        name=name.translate(dict.fromkeys(map(ord, NOT_IN_NAMES), "_")),
        loader_module="art_pipeline.models.pyfunc",
        data_path=str(folder),
        code_paths=[str(Path(__file__).parents[1])],
        signature=_signature(folder),
        input_example=pd.DataFrame({"image": [example.read_bytes()]}),
        pip_requirements=["==".join(find_distribution(name)) for name in requirements(folder, backend(parameters))],
    )
    return str(stored.model_id)


def backend(parameters: Mapping[str, Any]) -> str:
    """Return the Keras backend that parameters set, or the default."""
    return ComputeOptions.model_validate(parameters.get("compute", {})).backend


def requirements(folder: Path, backend: str) -> list[str]:
    """Return the distributions that a stored model, and the models within its folder, need to predict."""
    from art_pipeline.models.classifier import METADATA, read_metadata
    from art_pipeline.models.registry import family_of

    kinds = {read_metadata(file.parent)["kind"] for file in folder.rglob(METADATA)}
    needed = {name for kind in kinds for name in family_of(kind).REQUIREMENTS}
    return ["mlflow", *sorted(needed), *([backend] if "keras" in needed else [])]


def _signature(folder: Path) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from art_pipeline.models.classifier import read_metadata
    from art_pipeline.models.pyfunc import probability_columns

    metadata = read_metadata(folder)

    # A row without a usable image has only a status.
    texts = [ColSpec("string", name, required=False) for name in ("status", "label")]
    columns = probability_columns(metadata["classes"], multilabel=metadata.get("thresholds") is not None)
    probabilities = [ColSpec("double", name, required=False) for name in columns]
    return ModelSignature(Schema([ColSpec("binary", "image")]), Schema([*texts, *probabilities]))
