"""Names that a task, a block of features or a model cannot have, as they are those of a stage or of a data set."""

from collections.abc import Collection, Iterator

from art_pipeline.errors import ParameterError
from art_pipeline.pipelines.analysis.registry import ANALYSES

# Pipelines that are always there, and tags of nodes.
RESERVED = (
    "scrape",
    "download",
    "subset",
    "features",
    "features_augmented",
    "augment",
    "search",
    "train",
    "predict",
    "evaluate",
    "report",
    *(kind.key for kind in ANALYSES),
)
ANALYSES_EXPERIMENT = "analyses"  # of MLflow, in place of a task
# Data sets of tasks and models, by whose patterns the catalog would find features.<name>.
DATASETS = {
    "analysis",
    "augmentation",
    "augmentation_examples_figure",
    "augmentation_figure",
    "augmented_images",
    "calibration_figure",
    "candidates",
    "class_distribution_figure",
    "class_examples_figure",
    "codebooks",
    "comparison_figure",
    "confusion_matrix",
    "confusion_matrix_figure",
    "corrections",
    "costs",
    "encodings",
    "history",
    "labels_figure",
    "learning_curves_figure",
    "manifest",
    "metrics",
    "model",
    "near_duplicates",
    "out_of_fold",
    "per_class",
    "precision_recall_figure",
    "prediction_examples_figure",
    "predictions",
    "review",
    "search",
    "selection",
    "selective",
    "significance",
    "weights",
}


def check_names(
    tasks: Collection[str], features: Collection[str], models: Collection[str], analyses: Collection[str] = ()
) -> None:
    """Check that no stage, data set or folder is named twice.

    Args:
        tasks: Names of the tasks.
        features: Names of the blocks of features.
        models: Names of the models.
        analyses: Names of the stages of analyses.

    Raises:
        ParameterError: Names the block to rename.
    """
    if both := sorted({*tasks} & {*models}):
        raise ParameterError(f"params.yaml: {both[0]} is the name of a task and of a model; rename one of them.")
    if both := sorted({*analyses} & {*tasks, *models, *RESERVED, *_stages(tasks, features)}):
        raise ParameterError(
            f"params.yaml: {both[0]} is the stage of an analysis, and also the name of another stage, a task or a "
            "model; rename one of them."
        )
    if "features" in tasks:
        raise ParameterError("params.yaml: a task cannot be called 'features', as data sets begin with it; rename it.")
    if ANALYSES_EXPERIMENT in {*tasks, *models}:
        raise ParameterError(
            f"params.yaml: a task or a model cannot be called {ANALYSES_EXPERIMENT!r}, as MLflow's experiment of the "
            "analyses has this name; rename it."
        )
    if stage := sorted({*models} & {*RESERVED, *_stages(tasks, features)}):
        raise ParameterError(f"params.yaml: {stage[0]} is the name of a stage, so no model can have it; rename it.")
    for name in sorted(features):
        if f"features_{name}" in RESERVED:
            raise ParameterError(f"params.yaml: features.{name} would be the stage features_{name}; rename the block.")
        if name in DATASETS:
            raise ParameterError(f"params.yaml: features.{name} is the name of a data set; rename the block.")
        if other := next((one for one in features if name.startswith(f"{one}_augmented")), None):
            raise ParameterError(
                f"params.yaml: features.{name} is the name of the features of augmented images of {other}; rename it."
            )


def _stages(tasks: Collection[str], features: Collection[str]) -> Iterator[str]:
    for task in tasks:
        yield from (f"subset_{task}", f"augment_{task}")
    for name in features:
        yield from (f"features_{name}", *(f"features_{name}_augmented_{task}" for task in tasks))
