"""Model card of a generator (Mitchell et al. 2019, "Model cards for model reporting")."""

from collections.abc import Mapping

from art_pipeline.generate.marking import NOTICE, SOURCE_TYPE
from art_pipeline.generate.options import GenerateOptions

_KINDS = {
    "fastgan": "A light generator with skip-layer excitation and a self-supervised discriminator (Liu et al. 2021)",
    "plain": "A plain GAN of transposed convolutions, with cross-entropy of generator and discriminator",
}


_CARD = """# {name}

{notice}

## Model

{kind}: noise to images of {size} by {size} pixels.{stopped}

## Training data

{training_images:.0f} images of the training split of the task `{task}`: {labels}{where}. `image_statuses.csv` lists \
them, and those that were left out. No image of the validation or test split was trained on. The licence of the \
training images applies to what is made of them.

## Use

To look at, and as further training images of rare classes, marked as generated; never for validation or test, and \
never as works of a collection. Each image names `{source_type}` as its source in its metadata.

## Measured

Against the test images, by the features of `{features}`. A kernel inception distance (KID) that rests on other \
features is not comparable.

| metric | value |
|---|---|
{rows}

## Limits

The generator knows its training images only: their subjects, periods and gaps. Near-copies are counted by two \
distances alone; look at `nearest.png` before images are shown.
"""


def model_card(name: str, options: GenerateOptions, metrics: Mapping[str, float], stopped: str) -> str:
    """Return the card as Markdown: what the generator is, what it was trained on, what was measured, and its limits.

    Args:
        name: Name of the generator.
        options: Its block.
        metrics: Its metrics.
        stopped: Why training ended early; empty if it did not.
    """
    return _CARD.format(
        name=name,
        notice=NOTICE,
        kind=_KINDS[options.kind],
        size=options.image_size,
        stopped=f" Training ended early: {stopped}." if stopped else "",
        training_images=metrics["training_images"],
        task=options.task,
        labels=", ".join(options.labels) or "all labels",
        where="".join(f"; {column}: {', '.join(values)}" for column, values in sorted(options.where.items())),
        source_type=SOURCE_TYPE,
        features=options.features,
        rows="\n".join(f"| {key.replace('_', ' ')} | {value:.4g} |" for key, value in metrics.items()),
    )
