"""Altered copies of training images, which fill up small classes; Keras' ``ImageDataGenerator`` makes them.

What is done to each copy is drawn first, into a table, and then carried out. A copy depends on
the seed, its source and its number alone: another image or class changes nothing about it.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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

ANY_SIZE = (1, 1, 3)  # shifts drawn for an image of one pixel are shares of its sides
DRAWN = {
    "rotation": np.float64,
    "shift_x": np.float64,
    "shift_y": np.float64,
    "zoom_x": np.float64,
    "zoom_y": np.float64,
    "flipped": np.bool_,
    "brightness": np.float64,
}


class AugmentOptions(Options):
    """``augment:`` — how small training classes are filled up with altered copies of their images.

    Attributes:
        images_per_class: Training images that each class comes to, copies included; a class
            that has as many gets none. Null for no copies at all.
        horizontal_flip: Mirror copies left to right, each with a chance of one half.
        rotation: Degrees by which a copy is turned at most, either way.
        shift: Share of the width, and of the height, by which a copy is moved at most.
        zoom: Share by which a copy's width, and its height, is made larger or smaller at most.
        brightness: Lowest and highest factor of a copy's brightness.
        fill_mode: What is put beyond the image's edges: its edge drawn out (``nearest``),
            its mirror image (``reflect``), the image again (``wrap``), or black (``constant``).
        seed: Seed of all that is drawn.
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
            raise ValueError("the lowest brightness comes first")
        return value


def plan_augmentation(object_ids: "pd.Series", labels: "pd.Series", options: AugmentOptions) -> "pd.DataFrame":
    """Decide which copies are made, and draw what is done to each.

    A class is filled up to ``images_per_class`` exactly, and its images' numbers of copies
    differ by one at most. Imports Keras if there is anything to draw.

    Args:
        object_ids: (n,) int64, unique: the training images.
        labels: (n,) str.
        options: How many, and within which bounds.

    Returns:
        A row a copy, ascending by ``object_id`` and ``copy``:

        - ``image`` (str, ``<object id>_<copy>``), ``object_id`` (int64, of the source),
          ``label`` (str), ``copy`` (int64, from 1);
        - ``rotation`` (degrees to the left), ``shift_x`` and ``shift_y`` (shares of width and
          height by which it moves left and up), ``zoom_x`` and ``zoom_y`` (at 1.1, a tenth more
          comes into view), ``brightness`` (factor): float64, the numbers that Keras drew;
        - ``flipped`` (bool): mirrored after all that.
    """
    import pandas as pd

    sources = pd.DataFrame({"object_id": object_ids.to_numpy(np.int64), "label": labels.to_numpy()})
    sources = sources.sort_values("object_id", ignore_index=True)
    table = sources.loc[sources.index.repeat(_copies(sources, options))].reset_index(drop=True)
    table["copy"] = table.groupby("object_id").cumcount().astype(np.int64) + 1
    table.insert(0, "image", table["object_id"].astype(str) + "_" + table["copy"].astype(str))
    return table.join(_draw_all(table, options))


def _copies(sources: "pd.DataFrame", options: AugmentOptions) -> np.ndarray:
    """How many copies each source has, (n,) int64."""
    copies = np.zeros(len(sources), np.int64)
    for rows in sources.groupby("label").indices.values():
        missing = max(0, (options.images_per_class or 0) - len(rows))
        each, more = divmod(missing, len(rows))
        copies[rows] = each
        copies[_shuffled(rows, sources["object_id"].to_numpy(), options.seed)[:more]] += 1
    return copies


def _shuffled(rows: np.ndarray, object_ids: np.ndarray, seed: int) -> np.ndarray:
    """Rows by a number that each draws for itself, so that a new one leaves the others' order."""
    drawn = [_words(seed, int(object_ids[row])).tolist() for row in rows]
    return rows[sorted(range(len(rows)), key=drawn.__getitem__)]


def _words(*key: int) -> np.ndarray:
    """Four 32-bit numbers that stand for a key."""
    return np.random.SeedSequence(key).generate_state(4)


def _draw_all(table: "pd.DataFrame", options: AugmentOptions) -> "pd.DataFrame":
    import pandas as pd

    rows = []
    if not table.empty:
        generator = _generator(options)
        with _numpys_own_state():
            rows = [_draw(generator, options.seed, *key) for key in zip(table["object_id"], table["copy"], strict=True)]
    return pd.DataFrame(rows, columns=list(DRAWN)).astype(DRAWN)


def _draw(generator: "ImageDataGenerator", seed: int, object_id: int, copy: int) -> tuple[float, ...]:
    drawn = generator.get_random_transform(ANY_SIZE, _words(seed, object_id, copy))
    return tuple(drawn[key] for key in ("theta", "tx", "ty", "zx", "zy", "flip_horizontal", "brightness"))


@contextmanager
def _numpys_own_state() -> Iterator[None]:
    """Give NumPy's global generator back as it was: Keras seeds and uses it."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def _generator(options: AugmentOptions) -> "ImageDataGenerator":
    # Keras' own name for what tf.keras exports: it is there whatever the backend.
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
    """Write ``<image>.jpg`` into ``folder`` for each row of a plan, on all cores.

    Args:
        plan: As `plan_augmentation` returns it.
        images: Folder of ``<object id>.jpg``.
        options: The fill mode is used; all else has been drawn.
        folder: An empty folder.

    Raises:
        StorageError: A source is not there, or no image.
    """
    if plan.empty:
        return
    write = partial(_write_copies, images=images, generator=_generator(options), folder=folder)
    # In no order: images of a small class have hundreds of copies, and others need not wait for them.
    written = chain.from_iterable(map_as_completed(write, plan.groupby("object_id"), cpu_count()))
    with _scipys_old_name():
        for _ in progress(written, total=len(plan), what="Augmented images"):
            pass


@contextmanager
def _scipys_old_name() -> Iterator[None]:
    """Keras calls SciPy by a name that SciPy 2 will drop, which is not for our users to hear of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please import `affine_transform`", DeprecationWarning)
        yield


def _write_copies(
    source: tuple[int, "pd.DataFrame"], images: Path, generator: "ImageDataGenerator", folder: Path
) -> list[str]:
    object_id, rows = source
    pixels = read_rgb(image_path(images, object_id))
    for row in rows.to_dict("records"):
        altered = _alter(pixels, row, generator)
        write_atomically(augmented_path(folder, row["image"]), encode_jpeg(Image.fromarray(altered)))
    return rows["image"].tolist()


def augmented_path(folder: Path, image: str) -> Path:
    """Where `augment_all` keeps a copy."""
    return folder / f"{image}.jpg"


def augment(pixels: np.ndarray, drawn: Mapping[str, float], options: AugmentOptions) -> np.ndarray:
    """Alter an image as a row of a plan says.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        drawn: What `plan_augmentation` drew, by column.
        options: The fill mode is used.

    Returns:
        The same shape and type.
    """
    with _scipys_old_name():
        return _alter(pixels, drawn, _generator(options))


def _alter(pixels: np.ndarray, drawn: Mapping[str, float], generator: "ImageDataGenerator") -> np.ndarray:
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
    return generator.apply_transform(pixels, transform).astype(np.uint8)


def _shift(height: int, width: int, drawn: Mapping[str, float]) -> np.ndarray:
    """The shift in pixels that Keras is to be given, along x and y.

    Keras takes half the height for the centre's x, and half the width for its y: an image that
    is not square would turn and grow about a point beside its middle. The shift makes good for
    it: with Keras' centre ``k``, the true one ``c`` and ``p -> R(Zp + t)`` for turning and
    zooming, ``R(Z(p - k) + t) + k`` shall be ``R(Z(p - c) + s) + c``.
    """
    angle = np.deg2rad(drawn["rotation"])
    turn_back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    zoom = np.diag([drawn["zoom_x"], drawn["zoom_y"]])
    aside = np.array([width - height, height - width]) / 2
    return np.array([drawn["shift_x"] * width, drawn["shift_y"] * height]) + (turn_back - zoom) @ aside
