"""Training of the scorer on rooms that are drawn from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from art_pipeline.common.concurrency import cpu_count, map_ordered
from art_pipeline.common.progress import progress
from art_pipeline.detection.arrays import Floats
from art_pipeline.detection.geometry import ious
from art_pipeline.detection.measures import measure
from art_pipeline.detection.proposals import propose
from art_pipeline.detection.rooms.room import KINDS, compose_room
from art_pipeline.detection.scorer import to_text
from art_pipeline.detection.view import view_of

NEAR = 0.3  # intersection over union with a work
NEAR_WORKS, OTHERS = 90, 60  # proposals of a room, at most, that are near works and that are not; at random


@dataclass(frozen=True)
class TrainingOptions:
    """How the scorer is trained.

    Attributes:
        seed: Seed of the rooms and of the trees.
        rooms: Rooms of each kind.
        width: Width of their photographs, in pixels.
        trees: Number of trees.
        depth: Depth of a tree.
        rate: Learning rate.
        share: Share of the proposals that a tree is fitted to.
    """

    seed: int = 0
    rooms: int = 8
    width: int = 800
    trees: int = 120
    depth: int = 5
    rate: float = 0.1
    share: float = 0.5


def train_scorer(images: Sequence[np.ndarray], options: TrainingOptions) -> str:
    """Return the scorer as JSON text; the same for the same images and options.

    Args:
        images: Images of works, (height, width, 3) uint8, RGB.
        options: See `TrainingOptions`.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    features, targets = examples(images, options)
    model = GradientBoostingRegressor(
        n_estimators=options.trees,
        learning_rate=options.rate,
        max_depth=options.depth,
        subsample=options.share,
        min_samples_leaf=20,
        max_features=0.3,
        random_state=options.seed,
    ).fit(features, targets)
    trees = [one.tree_ for one in model.estimators_[:, 0]]
    for tree in trees:
        tree.value[:] = tree.value * options.rate
    training = {**asdict(options), "images": len(images), "proposals": len(targets)}
    return to_text(float(f"{targets.mean():.6g}"), trees, options.depth, training)


def examples(images: Sequence[np.ndarray], options: TrainingOptions) -> tuple[Floats, Floats]:
    """Return features (n, features) and targets (n,): the intersection over union of proposals and works."""
    rooms = [(kind, number) for kind in KINDS for number in range(options.rooms)]
    parts = map_ordered(partial(_room_examples, images, options), rooms, cpu_count())
    found = [*progress(parts, total=len(rooms), what="Rooms")]
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def _room_examples(
    images: Sequence[np.ndarray], options: TrainingOptions, which: tuple[str, int]
) -> tuple[Floats, Floats]:
    kind, number = which
    room = compose_room(images, kind, options.seed, number, options.width)
    view = view_of(room.pixels)
    quads = propose(view)
    overlap = ious(quads, room.works * view.scale)
    target = overlap.max(axis=1, initial=0)
    rng = np.random.default_rng([options.seed, number, len(quads)])
    used = np.sort(np.array([*_chosen(rng, target)], np.intp))
    return measure(view, quads[used]), target[used]


def _chosen(rng: np.random.Generator, target: Floats) -> Iterator[int]:
    """Yield proposals that are near a work, and some of the others."""
    near = target >= NEAR
    for chosen, number in ((near, NEAR_WORKS), (~near, OTHERS)):
        yield from rng.permutation(np.flatnonzero(chosen))[:number].tolist()
