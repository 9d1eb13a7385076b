"""Figures in the page, with their captions."""

import base64
import io
from typing import TYPE_CHECKING, Any

from art_pipeline.evaluation.figures.canvas import DPI
from art_pipeline.evaluation.kinds import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

_CSS_DPI = 96
# Figures with photographs are many times larger than charts, and need not be exact.
_LOSSY_FROM_BYTES, _LOSSY_GAIN = 200_000, 3

CAPTIONS = {
    "comparison": (
        "Dots show the metric on the test images, lines its 95% interval, the band the interval of the best model. The "
        "best model by the first metric is on top."
    ),
    "class_distribution": "Images per class and split, the largest class on top.",
    "augmentation": (
        "Training images of each class, and augmented images generated from them. At the end of each bar: the number "
        "before and after augmentation."
    ),
    "augmentation_examples": "Training images, and augmented images generated from them.",
    "learning_curves": (
        "Loss and accuracy after each epoch, on training and validation images. The ring marks the epoch with the "
        "lowest validation loss."
    ),
    "confusion_matrix": (
        "Rows are true classes, columns are predicted classes. Numbers are images; the shade is their share of the "
        "row: blue for correct, orange for wrong predictions."
    ),
    "calibration": (
        "Reliability diagram (Guo et al. 2017). Where a bar ends below the diagonal, the model is overconfident; above "
        "it, underconfident."
    ),
    "class_examples": (
        "Classes with the highest and the lowest F1, with their most confident correct and wrong predictions, and the "
        "classes that their images are most often wrongly predicted as."
    ),
    "precision_recall": (
        "Precision against recall of all labels together (micro average), of the mean label (macro average), and of "
        "single labels. Below a label's name: its average precision. Rings mark the model's thresholds."
    ),
    "labels": (
        "Test images and average precision of each label, the most frequent label on top. The orange mark is the "
        "average precision of chance: the share of the images that have the label."
    ),
    "prediction_examples": "The most confident correct and wrong predictions, and the least confident ones.",
}
_MULTILABEL_CAPTIONS = {
    "class_distribution": (
        "Images per label and split, the most frequent label on top; an image counts once for each of its labels. "
        "Below: the number of labels per image."
    ),
    "learning_curves": (
        "Loss and accuracy after each epoch, on training and validation images. Accuracy is the share of all labels of "
        "all images that are right at a threshold of 0.5. The ring marks the epoch with the lowest validation loss."
    ),
    "confusion_matrix": (
        "Rows are true labels, columns are predicted labels; numbers are images with both. The shade is their share of "
        "the row: blue where a label is found; grey where the predicted label is another true label of most of these "
        "images; orange where it is wrong for at least half of them."
    ),
    "calibration": (
        "Reliability diagram (Guo et al. 2017) of the probabilities of all labels of all test images. Where a bar ends "
        "below the diagonal, the model is overconfident; above it, underconfident."
    ),
    "prediction_examples": (
        "Images with the highest, the median and the lowest F2. Below each: predicted labels that are true (✓), "
        "predicted labels that are not (✗), and true labels that are missing (○), with their probabilities."
    ),
}


def figure(name: str, data: bytes, subject: str, kind: Kind = "multiclass") -> dict[str, object]:
    """Prepare a PNG for the page, with its size, so that the layout does not shift on load."""
    label = name.replace("_", " ").capitalize()
    return {"label": label} | embed(data, f"{label}, {subject}.", _caption(name, kind) or label)


def embed(data: bytes, alt: str, caption: str) -> dict[str, object]:
    """Prepare a PNG with its alternative text and its caption, likewise."""
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as image:
        scale = _CSS_DPI / image.info.get("dpi", (DPI, DPI))[0]
        width, height = (round(side * scale) for side in image.size)
        embedded = _compress(image, data)
    return {
        "alt": alt,
        "caption": caption,
        "width": width,
        "height": height,
        "data": base64.b64encode(embedded).decode("ascii"),
    }


def _caption(name: str, kind: Kind) -> str | None:
    own = _MULTILABEL_CAPTIONS if kind == "multilabel" else {}
    return own.get(name, CAPTIONS.get(name))


def _compress(image: "Image", data: bytes) -> bytes:
    """Return the WebP of a PNG: exact, but for a large one that is much smaller otherwise."""
    if len(data) > _LOSSY_FROM_BYTES:
        lossy = _as_webp(image, quality=80, use_sharp_yuv=True)
        if _LOSSY_GAIN * len(lossy) < len(data):
            return lossy
    return _as_webp(image, lossless=True, quality=50, method=2)


def _as_webp(image: "Image", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="WEBP", **options)
    return buffer.getvalue()
