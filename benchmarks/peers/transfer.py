"""A head on a frozen base as one would write it with Keras and tf.data alone.

    python benchmarks/peers/transfer.py SETTINGS IMAGES MANIFEST.parquet BASE.weights.h5 PREDICTIONS.csv

Images are decoded on all cores, kept in memory between epochs, and fed ahead of the network;
the base is in the loop, as in Keras' own guide to transfer learning.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

APPLICATIONS = {"inception_v3": keras.applications.InceptionV3, "mobilenet_v2": keras.applications.MobileNetV2}


def main(settings: dict, images: Path, manifest_file: Path, weights: Path, predictions_file: Path) -> None:
    """Train the head through the base, and predict the test split."""
    manifest = pd.read_parquet(manifest_file)
    classes = sorted(manifest["label"].unique())
    size, training = settings["image_size"], settings["training"]
    sides = dict(list(manifest.groupby("split")))
    batches = {side: feed(rows, images, classes, size) for side, rows in sides.items()}
    model = build(settings, weights, len(classes))
    adam = keras.optimizers.Adam(training["adam"]["learning_rate"])
    model.compile(adam, "categorical_crossentropy", metrics=["accuracy"])
    shuffled = batches["train"].shuffle(len(sides["train"]), seed=0)
    epochs = training["epochs"]
    validation = batches["validation"].batch(32).prefetch(2)
    model.fit(shuffled.batch(training["batch_size"]).prefetch(2), validation_data=validation, epochs=epochs, verbose=0)
    predicted = model.predict(batches["test"].batch(32), verbose=0).argmax(axis=1)
    sides["test"].assign(predicted=np.array(classes)[predicted]).to_csv(predictions_file, index=False)


def feed(rows: pd.DataFrame, images: Path, classes: list[str], size: int) -> tf.data.Dataset:
    """Images and one-hot classes, decoded once and kept."""
    paths = [str(images / f"{object_id}.jpg") for object_id in rows["object_id"]]
    targets = np.eye(len(classes), dtype=np.float32)[np.searchsorted(classes, rows["label"])]

    def decode(path: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.cast(tf.image.resize(pixels, (size, size), method="area"), tf.uint8), target

    return tf.data.Dataset.from_tensor_slices((paths, targets)).map(decode, tf.data.AUTOTUNE).cache()


def build(settings: dict, weights: Path, classes: int) -> keras.Model:
    """The frozen base, and a head on it."""
    size = settings["image_size"]
    pixels = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    application = APPLICATIONS[settings["kind"]]
    base = application(include_top=False, weights=None, input_tensor=scaled, pooling="avg")
    base.load_weights(weights)
    base.trainable = False
    dropped = keras.layers.Dropout(settings["dropout"])(base(pixels, training=False))
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(dropped))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), *map(Path, sys.argv[2:]))
