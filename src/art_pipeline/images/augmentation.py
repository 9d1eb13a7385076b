"""Offline augmentation: oversamples small classes by images that Keras' ``ImageDataGenerator`` transforms.

The random transforms are drawn first, into a table, and applied later. An augmented image depends on the seed, its
source image and its number only: other images and classes do not change it.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field, PositiveFloat, field_validator

from art_pipeline.common.concurrency import cpu_count, map_as_completed
from art_pipeline.common.files import write_atomically
from art_pipeline.common.options import Options
from art_pipeline.common.progress import progress
from art_pipeline.images.standardize import encode_jpeg, image_path, read_rgb

if TYPE_CHECKING:
    import pandas as pd
    from keras._tf_keras.keras.preprocessing.image import ImageDataGenerator

UNIT_SIZE = (1, 1, 3)  # shifts drawn for an image of one pixel are shares of its sides
TRANSFORM = {
    "rotation": np.float64,
    "shift_x": np.float64,
    "shift_y": np.float64,
    "zoom_x": np.float64,
    "zoom_y": np.float64,
    "flipped": np.bool_,
    "brightness": np.float64,
}


class AugmentOptions(Options):
    """``augment:`` — oversampling of small training classes by augmented images.

    Attributes:
        images_per_class: Minimum number of training images per class, augmented images included; null for no
            augmentation.
        horizontal_flip: Whether to flip images horizontally, with a probability of one half.
        rotation: Maximum rotation in degrees, in both directions.
        shift: Maximum shift as a share of width and height, in all directions.
        zoom: Maximum zoom in and out of width and height, as a share.
        brightness: Minimum and maximum factor of the brightness.
        fill_mode: Fill of the area outside the image: its edge pixels (``nearest``), its mirror image (``reflect``),
            the image repeated (``wrap``), or black (``constant``).
        seed: Seed of the random transforms.
    """

    images_per_class: int | None = Field(default=None, ge=1)
    horizontal_flip: bool = True
    rotation: float = Field(default=10.0, ge=0, le=180)
    shift: float = Field(default=0.1, ge=0, lt=1)
    zoom: float = Field(default=0.15, ge=0, lt=1)
    brightness: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.2)
    fill_mode: Literal["nearest", "reflect", "wrap", "constant"] = "nearest"
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("brightness")
    @classmethod
    def _is_ascending(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("the minimum comes first")
        return value


def plan_augmentation(object_ids: "pd.Series", labels: "pd.Series", options: AugmentOptions) -> "pd.DataFrame":
    """Choose the source images, and draw a random transform per augmented image.

    A small class is oversampled to exactly ``images_per_class``; the numbers of augmented images of its source images
    differ by at most one. Imports Keras if there is anything to draw.

    Args:
        object_ids: (n,) int64, unique ids of the training images.
        labels: (n,) str, their classes.
        options: Number of images, and ranges of the transforms.

    Returns:
        A row per augmented image, sorted by ``object_id`` and ``copy``:

        - ``image`` (str, ``<object id>_<copy>``), ``object_id`` (int64, of the source), ``label`` (str), ``copy``
          (int64, from 1);
        - ``rotation`` (degrees counterclockwise), ``shift_x`` and ``shift_y`` (shares of width and height, to the left
          and up), ``zoom_x`` and ``zoom_y`` (1.1 shows a tenth more), ``brightness`` (factor): float64, as drawn
          by Keras;
        - ``flipped`` (bool): flipped horizontally after all that.
    """
    import pandas as pd

    sources = pd.DataFrame({"object_id": object_ids.to_numpy(np.int64), "label": labels.to_numpy()})
    sources = sources.sort_values("object_id", ignore_index=True)
    table = sources.loc[sources.index.repeat(_copies(sources, options))].reset_index(drop=True)
    table["copy"] = table.groupby("object_id").cumcount().astype(np.int64) + 1
    table.insert(0, "image", table["object_id"].astype(str) + "_" + table["copy"].astype(str))
    return table.join(_draw_all(table, options))


def _copies(sources: "pd.DataFrame", options: AugmentOptions) -> np.ndarray:
    """Return the number of augmented images per source, (n,) int64."""
    copies, object_ids = np.zeros(len(sources), np.int64), sources["object_id"].to_numpy()
    for positions in sources.groupby("label").indices.values():
        rows = np.asarray(positions)
        missing = max(0, (options.images_per_class or 0) - len(rows))
        each, more = divmod(missing, len(rows))
        copies[rows] = each
        copies[_shuffled(rows, object_ids, options.seed)[:more]] += 1
    return copies


def _shuffled(rows: np.ndarray, object_ids: np.ndarray, seed: int) -> np.ndarray:
    """Sort rows by a random key per object, so that a new object does not change the order of the others."""
    keys = [_seed_of(seed, int(object_ids[row])).tolist() for row in rows]
    return rows[sorted(range(len(rows)), key=keys.__getitem__)]


def _seed_of(*key: int) -> np.ndarray:
    """Hash a key to a seed of four 32-bit numbers."""
    return np.random.SeedSequence(key).generate_state(4)


def _draw_all(table: "pd.DataFrame", options: AugmentOptions) -> "pd.DataFrame":
    import pandas as pd

    rows = []
    if not table.empty:
        generator = _generator(options)
        with _preserve_numpy_state():
            rows = [_draw(generator, options.seed, *key) for key in zip(table["object_id"], table["copy"], strict=True)]
    return pd.DataFrame(rows, columns=list(TRANSFORM)).astype(TRANSFORM)


def _draw(generator: "ImageDataGenerator", seed: int, object_id: int, copy: int) -> tuple[float, ...]:
    drawn = generator.get_random_transform(UNIT_SIZE, _seed_of(seed, object_id, copy))
    return tuple(drawn[key] for key in ("theta", "tx", "ty", "zx", "zy", "flip_horizontal", "brightness"))


@contextmanager
def _preserve_numpy_state() -> Iterator[None]:
    """Restore NumPy's global random state, which Keras seeds and uses."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def _generator(options: AugmentOptions) -> "ImageDataGenerator":
    # Keras' own path, which is available on all backends.
    from keras._tf_keras.keras.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator(
        rotation_range=options.rotation,
        width_shift_range=options.shift,
        height_shift_range=options.shift,
        zoom_range=options.zoom,
        brightness_range=options.brightness,
        horizontal_flip=options.horizontal_flip,
        fill_mode=options.fill_mode,
        data_format="channels_last",
    )


def augment_all(plan: "pd.DataFrame", images: Path, options: AugmentOptions, folder: Path) -> None:
    """Write ``<image>.jpg`` for each row of a plan, on all cores.

    Args:
        plan: Table of `plan_augmentation`.
        images: Folder of ``<object id>.jpg``.
        options: Only the fill mode is used.
        folder: An empty folder.

    Raises:
        StorageError: A source image is missing or damaged.
    """
    if plan.empty:
        return
    write = partial(_write_copies, images=images, generator=_generator(options), folder=folder)
    # Unordered: a source image of a small class can have hundreds of augmented images.
    written = chain.from_iterable(map_as_completed(write, plan.groupby("object_id"), cpu_count()))
    with _ignore_scipy_warning():
        for _ in progress(written, total=len(plan), what="Augmented images"):
            pass


@contextmanager
def _ignore_scipy_warning() -> Iterator[None]:
    """Ignore the warning that Keras imports a deprecated name from SciPy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please import `affine_transform`", DeprecationWarning)
        yield


def _write_copies(
    source: tuple[int, "pd.DataFrame"], images: Path, generator: "ImageDataGenerator", folder: Path
) -> list[str]:
    object_id, rows = source
    pixels = read_rgb(image_path(images, object_id))
    for row in rows.to_dict("records"):
        augmented = _apply(pixels, row, generator)
        write_atomically(image_path(folder, row["image"]), encode_jpeg(Image.fromarray(augmented)))
    return rows["image"].tolist()


def _apply(pixels: np.ndarray, drawn: Mapping[Any, float], generator: "ImageDataGenerator") -> np.ndarray:
    """Apply a drawn transform to a (height, width, 3) uint8 RGB image."""
    height, width, _ = pixels.shape
    tx, ty = _shift(height, width, drawn)
    transform = {
        "theta": drawn["rotation"],
        "tx": tx,
        "ty": ty,
        "zx": drawn["zoom_x"],
        "zy": drawn["zoom_y"],
        "flip_horizontal": drawn["flipped"],
        "brightness": drawn["brightness"],
    }
    augmented: np.ndarray = generator.apply_transform(pixels, transform).astype(np.uint8)
    return augmented


def _shift(height: int, width: int, drawn: Mapping[str, float]) -> np.ndarray:
    """Return the shift along x and y, in pixels, corrected for Keras' centre of rotation.

    Keras uses half the height as x of the centre, and half the width as y, so that an image that is not square would
    rotate and zoom about a point beside its centre. With Keras' centre ``k``, the true centre ``c``, rotation ``R``,
    zoom ``Z`` and wanted shift ``s``, the returned ``t`` solves ``R(Z(p - k) + t) + k = R(Z(p - c) + s) + c``.
    """
    angle = np.deg2rad(drawn["rotation"])
    inverse_rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    zoom = np.diag([drawn["zoom_x"], drawn["zoom_y"]])
    offset = np.array([width - height, height - width]) / 2
    return np.array([drawn["shift_x"] * width, drawn["shift_y"] * height]) + (inverse_rotation - zoom) @ offset
