"""Costs of mistakes as CSV files: those of a museum, and those that a model was trained with."""

import csv
import io
import json
from collections.abc import Sequence

import numpy as np

from art_pipeline.common.arrays import Floats
from art_pipeline.common.user_paths import user_path
from art_pipeline.errors import EvaluationError, did_you_mean
from art_pipeline.evaluation.costs import RULES, Costs
from art_pipeline.sources.names import normal

CORNER = "true"  # the first cell: rows are true classes


def read_costs(path: str, classes: Sequence[str], *, asymmetric: bool = False) -> Floats:
    """Read the costs of mistakes between the classes of a task.

    Args:
        path: A CSV file as in `DecideOptions`, in UTF-8.
        classes: Names of the k classes.
        asymmetric: Whether the costs may depend on which of two classes is the true one.

    Returns:
        (k, k) float64, in the order of ``classes``.

    Raises:
        EvaluationError: Names the file, and the class, cell or pair that is wrong.
    """
    try:
        return parse_costs(user_path(path).read_text(encoding="utf-8-sig"), classes, asymmetric=asymmetric)
    except (OSError, ValueError, csv.Error, EvaluationError) as error:
        raise EvaluationError(f"decide.costs: {path} cannot be used: {error}") from error


def parse_costs(text: str, classes: Sequence[str], *, asymmetric: bool = True) -> Floats:
    r"""Parse costs; see `read_costs`.

    >>> parse_costs("true,print,vase\nprint,0,2\nvase,2,0\n", ["print", "vase"])
    array([[0., 2.],
           [2., 0.]])
    """
    rows = [[normal(cell) for cell in row] for row in csv.reader(io.StringIO(text)) if any(map(str.strip, row))]
    if not rows:
        raise EvaluationError("it is empty. Write a row per true class and a column per predicted class.")
    columns, names = rows[0][1:], [row[0] for row in rows[1:]]
    _require_classes(columns, classes, "column")
    _require_classes(names, classes, "row")
    values = np.array([[_cost(row, columns, at) for at in range(len(columns))] for row in rows[1:]])
    order = [[found.index(name) for name in classes] for found in (names, columns)]
    costs: Floats = values[np.ix_(*order)]
    _check_values(costs, classes, asymmetric)
    return costs


def parse_own_costs(content: bytes) -> tuple[tuple[str, ...], Floats]:
    """Return classes and values that `format_costs` wrote."""
    text = content.decode()
    classes = tuple(next(csv.reader(io.StringIO(text)))[1:])
    return classes, parse_costs(text, classes)


def format_costs(costs: Costs) -> bytes:
    """Return costs as a CSV file, which `parse_costs` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([CORNER, *costs.classes])
    for name, row in zip(costs.classes, costs.values.tolist(), strict=True):
        writer.writerow([name, *row])
    return text.getvalue().encode()


def costs_to_json(costs: Costs) -> str:
    """Return costs and rule as JSON, as a model and its predictions keep them."""
    content = {"rule": costs.rule, "classes": list(costs.classes), "costs": costs.values.tolist()}
    return json.dumps(content, ensure_ascii=False)


def costs_from_json(text: str) -> Costs:
    """Return what `costs_to_json` returned.

    Raises:
        EvaluationError: They are not valid costs.
    """
    try:
        content = json.loads(text)
        classes, rule = tuple(map(str, content["classes"])), content["rule"]
        values = np.array(content["costs"], np.float64)
    except (TypeError, ValueError, KeyError) as error:
        raise EvaluationError(f"The decision, with the costs of mistakes, cannot be read: {error!r}.") from error
    if rule not in RULES or values.shape != (len(classes),) * 2:
        raise EvaluationError(f"The decision has the rule {rule!r} and {values.shape} costs of {len(classes)} classes.")
    _check_values(values, classes, asymmetric=True)
    return Costs(classes, values, rule)


def _require_classes(found: Sequence[str], classes: Sequence[str], what: str) -> None:
    if repeated := [name for name in found if found.count(name) > 1]:
        raise EvaluationError(f"the class {repeated[0]!r} has two {what}s. Remove one.")
    if unknown := [name for name in found if name not in classes]:
        hint = did_you_mean(unknown[0], classes)
        raise EvaluationError(
            f"the task has no class {unknown[0]!r}.{hint} Remove its {what}. Classes: {', '.join(classes)}."
        )
    if missing := [name for name in classes if name not in found]:
        raise EvaluationError(f"the class {missing[0]!r} has no {what}. Add one for each of: {', '.join(missing)}.")


def _cost(row: Sequence[str], columns: Sequence[str], at: int) -> float:
    if len(row) != len(columns) + 1:
        raise EvaluationError(f"the row of {row[0]!r} has {len(row) - 1} costs, but there are {len(columns)} classes.")
    try:
        return float(row[at + 1])
    except ValueError:
        raise EvaluationError(f"the cost of {row[0]!r} as {columns[at]!r} is {row[at + 1]!r}, not a number.") from None


def _check_values(costs: Floats, classes: Sequence[str], asymmetric: bool) -> None:
    for problem, cells in (
        ("must be finite", ~np.isfinite(costs)),
        ("must not be below 0", costs < 0),
        ("must be 0, as it is the right class", np.eye(len(costs), dtype=bool) & (costs != 0)),
    ):
        if cells.any():
            true, predicted = np.argwhere(cells)[0]
            value = f"{costs[true, predicted]:g}"
            raise EvaluationError(f"the cost of {classes[true]!r} as {classes[predicted]!r} is {value}: it {problem}.")
    if not costs.any():
        raise EvaluationError("all costs are 0. Give a mistake a cost above 0.")
    uneven = np.argwhere(costs != costs.T)
    if len(uneven) and not asymmetric:
        one, other = uneven[0]
        raise EvaluationError(
            f"{classes[one]!r} as {classes[other]!r} costs {costs[one, other]:g}, but the other way round "
            f"{costs[other, one]:g}. If this is intended, set decide.asymmetric to true."
        )
