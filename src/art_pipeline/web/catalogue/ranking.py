"""The order of the models of a task."""

from collections.abc import Mapping

from django.core.cache import cache
from django.db.models import Avg, FloatField, Q
from django.db.models.functions import Cast

from art_pipeline.web.catalogue.models import ImportedRun, Prediction, Split, TrainedModel, Vocabulary

SECONDS = 3600
RESUBSTITUTION = "resubstitution"


def models_by_task() -> list[tuple[Vocabulary, list[TrainedModel]]]:
    """Return the tasks that have models, each with its current models.

    The first model is the default: the one with the highest accuracy on the images of the validation split that it was
    not trained on. The test split chooses nothing.
    """
    accuracies = _validation_accuracies()
    found: dict[Vocabulary, list[TrainedModel]] = {}
    current = TrainedModel.objects.filter(is_current=True).select_related("vocabulary")
    for model in sorted(current, key=lambda one: (-accuracies.get(one.pk, -1.0), one.name)):
        found.setdefault(model.vocabulary, []).append(model)
    return sorted(found.items(), key=lambda item: (item[0].position, item[0].name))


def _validation_accuracies() -> Mapping[int, float]:
    run = ImportedRun.latest()
    key = f"validation-accuracies-{run.pk if run else None}"
    found = cache.get(key)
    if found is None:
        known = Q(split=Split.VALIDATION, is_correct__isnull=False) & ~Q(origin=RESUBSTITUTION)
        rows = Prediction.objects.filter(known, model__is_current=True).order_by().values("model_id")
        found = dict(rows.annotate(accuracy=Avg(Cast("is_correct", FloatField()))).values_list("model_id", "accuracy"))
        cache.set(key, found, SECONDS)
    return found
