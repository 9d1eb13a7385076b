"""The order of the models of a task."""

from art_pipeline.web.catalogue.models import TrainedModel, Vocabulary


def models_by_task() -> list[tuple[Vocabulary, list[TrainedModel]]]:
    """Return the tasks that have models, each with its current models.

    The first model is the default: the one with the highest accuracy on the images of the validation split that it was
    not trained on. The test split chooses nothing.
    """
    found: dict[Vocabulary, list[TrainedModel]] = {}
    current = TrainedModel.objects.filter(is_current=True).select_related("vocabulary").defer("card", "curve")
    for model in sorted(current, key=lambda one: (-_accuracy(one), one.name)):
        found.setdefault(model.vocabulary, []).append(model)
    return sorted(found.items(), key=lambda item: (item[0].position, item[0].name))


def _accuracy(model: TrainedModel) -> float:
    return -1.0 if model.validation_accuracy is None else float(model.validation_accuracy)
