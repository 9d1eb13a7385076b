"""Views that MLflow's page opens on: which runs of an experiment, in which order, with which columns.

MLflow stores a shared view as a tag of the experiment.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from art_pipeline.evaluation.kinds import MAIN_METRICS, Kind
from art_pipeline.tracking.store import SEARCH

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODELS, SEARCHES, ANALYSES = "models", "searches", "analyses"  # keys of the views
NEWEST_FIRST = "attributes.start_time"
COST = "mean_cost"


def tag_of(view: str) -> str:
    """Return the tag of an experiment that holds a view.

    >>> tag_of("models")
    'mlflow.sharedViewState.models'
    """
    return f"mlflow.sharedViewState.{view}"


def shown_metrics(kind: Kind) -> tuple[str, ...]:
    """Return the metrics that the page shows, the one that models are ranked by first."""
    main = MAIN_METRICS[kind]
    return main.first, main.second, "log_loss" if kind == "multiclass" else "f1_macro"


def share_model_view(client: "MlflowClient", experiment_id: str, kind: Kind, *, costs: bool = False) -> None:
    """Store a view of a task's models with their main metrics, the best first; with costs once they were given."""
    costs = costs or COST in client.get_experiment(experiment_id).tags.get(tag_of(MODELS), "")
    metrics = _named("metrics", (*shown_metrics(kind), *([COST] if costs else ())))
    tags = _named("tags", ("family", "session"))
    columns = [*metrics, "duration", *tags, "attributes.`Version`", "attributes.`Models`"]
    _share(client, experiment_id, MODELS, columns, order=metrics[0], only="model", wide=tags[-1])


def share_search_view(client: "MlflowClient", experiment_id: str, kind: Kind) -> None:
    """Store a view of the searches of a task, each with its trials below it, the newest first.

    MLflow's page shows runs below others only in the order of their start, and in a list in any other order.
    """
    metrics = _named("metrics", [f"trial_{name}" for name in shown_metrics(kind)])
    _share(client, experiment_id, SEARCHES, [*metrics, "duration", *_named("tags", ["trial"])], only=SEARCH)


def share_analysis_view(client: "MlflowClient", experiment_id: str, metrics: Sequence[str]) -> None:
    """Store a view of the analyses with some metrics, the newest first."""
    tags = _named("tags", ("analysis", "session"))
    columns = [*_named("metrics", metrics), "duration", *tags]
    _share(client, experiment_id, ANALYSES, columns, only="analysis", wide=tags[-1])


def _named(kind: str, names: Sequence[str]) -> list[str]:
    return [f"{kind}.`{name}`" for name in names]


def _share(  # noqa: PLR0913
    client: "MlflowClient",
    experiment_id: str,
    view: str,
    columns: Sequence[str],
    *,
    only: str,
    order: str = NEWEST_FIRST,
    wide: str | None = None,
) -> None:
    """Store a view of the runs that have the tag ``only``; its columns come after the name and the start of a run."""
    shown = ["attributes.`Run Name`", "runDateAndNestInfo", *columns]
    widths = dict.fromkeys(shown, 110) | {shown[0]: 240, shown[1]: 130} | ({wide: 250} if wide else {})
    state = {"orderByKey": order, "orderByAsc": False, "searchFilter": f"tags.`{only}` LIKE '%'"}
    state |= {"selectedColumns": shown, "columnOrder": shown, "columnWidths": widths}
    client.set_experiment_tag(experiment_id, tag_of(view), json.dumps(state))
