"""Storing trained models in MLflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from art_pipeline.common.distributions import find_distribution
from art_pipeline.common.keras_runtime import ComputeOptions

NOT_IN_NAMES = "/:.%\"'"  # MLflow refuses these characters


def log_model(
    name: str, folder: Path, example: Path, parameters: Mapping[str, Any], selective: Path | None = None
) -> str:
    """Store a model in the active run.

    Args:
        name: Name of the model.
        folder: Folder of the trained model.
        example: An image file, as the input example.
        parameters: Parameters of the run.
        selective: Table of the thresholds of accepted predictions, which are stored with the model; None for none.

    Returns:
        The model id, which MLflow loads as ``models:/<id>``.
    """
    import pandas as pd
    from mlflow.models import Model

    from art_pipeline.evaluation.acceptance import Thresholds
    from art_pipeline.models.pyfunc import serving_config

    stored = Model.log(
        artifact_path=None,
        name=logged_name(name),
        flavor=_PyfuncFlavor,
        validate_serving_input=False,  # which would load the model, and import Keras for features of a network
        loader_module="art_pipeline.models.pyfunc",
        data_path=str(folder),
        code_paths=[str(Path(__file__).parents[1])],
        signature=_signature(folder),
        model_config=serving_config(Thresholds.read(selective) if selective else None),
        input_example=pd.DataFrame({"image": [example.read_bytes()]}),
        pip_requirements=["==".join(find_distribution(name)) for name in requirements(folder, backend(parameters))],
    )
    return str(stored.model_id)


class _PyfuncFlavor:
    """MLflow's ``pyfunc`` flavor, which does not know the option of `Model.log` to leave out the validation."""

    @staticmethod
    def save_model(validate_serving_input: bool, **options: Any) -> None:  # noqa: ARG004
        """Save a model as ``mlflow.pyfunc.save_model`` does."""
        import mlflow.pyfunc

        mlflow.pyfunc.save_model(**options)


def logged_name(model: str) -> str:
    """Return the name under which MLflow stores a model.

    >>> logged_name("bow_svm")
    'bow_svm'
    """
    return model.translate(dict.fromkeys(map(ord, NOT_IN_NAMES), "_"))


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
    from mlflow.types.schema import AnyType

    from art_pipeline.models.classifier import read_metadata
    from art_pipeline.models.decided import predicts_by_cost
    from art_pipeline.models.pyfunc import probability_columns

    metadata = read_metadata(folder)
    multilabel = metadata["task_kind"] == "multilabel"

    # A row without a usable image has only a status.
    texts = [ColSpec("string", name, required=False) for name in ("status", "label")]
    columns = probability_columns(metadata["classes"], multilabel)
    probabilities = [ColSpec("double", name, required=False) for name in columns]
    accepted = ColSpec("string" if multilabel else "boolean", "accepted", required=False)
    place = 0 if multilabel else 1  # after the probability
    costs = [ColSpec("double", "expected_cost", required=False)] if predicts_by_cost(folder) else []
    output = [*texts, *probabilities[:place], *costs, accepted, *probabilities[place:]]
    # Of any type, as MLflow decodes the base64 of a binary column, and one bad image would fail the whole request.
    anything: Any = AnyType()  # type: ignore[no-untyped-call]
    return ModelSignature(Schema([ColSpec(anything, "image")]), Schema([*output]))
