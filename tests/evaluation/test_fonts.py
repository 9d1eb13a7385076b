import io
import logging

import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from art_pipeline.evaluation.figures import fonts
from art_pipeline.evaluation.figures.canvas import short_names
from art_pipeline.evaluation.figures.class_counts import plot_class_distribution
from art_pipeline.evaluation.figures.confusion_matrix import plot_confusion_matrix
from art_pipeline.evaluation.figures.examples import plot_prediction_examples
from art_pipeline.evaluation.predictions import make_predictions

PRINTS = "浮世絵"


@pytest.fixture
def make_font(tmp_path):
    """Writes a font of triangles that has these characters."""

    def make(name, characters):
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0)), pen.lineTo((500, 900)), pen.lineTo((1000, 0)), pen.closePath()
        glyphs = {".notdef": TTGlyphPen(None).glyph()} | {f"u{ord(one):x}": pen.glyph() for one in characters}
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder(list(glyphs))
        builder.setupCharacterMap({ord(one): f"u{ord(one):x}" for one in characters})
        builder.setupGlyf(glyphs)
        builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
        builder.setupHorizontalHeader(ascent=900, descent=-100)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2(), builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
        return str(tmp_path / f"{name}.ttf")

    return make


@pytest.fixture
def use(monkeypatch):
    """Puts these font files in place of those of the system."""

    def use(*files):
        monkeypatch.setattr(fonts, "_font_files", lambda: files)
        fonts._warn.cache_clear()

    return use


def counts(*names):
    return pd.DataFrame({"train": 3, "test": 1}, index=list(names))


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), int)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_name_that_the_font_lacks_is_drawn_with_one_that_has_it(make_font, use, caplog):
    use()
    boxes = plot_class_distribution(counts(PRINTS, "prints"))
    use(make_font("of prints", PRINTS))
    drawn = plot_class_distribution(counts(PRINTS, "prints"))
    assert drawn == plot_class_distribution(counts(PRINTS, "prints"))
    assert (pixels(drawn) != pixels(boxes)).any()
    assert len(warnings(caplog)) == 1  # of the boxes


def test_names_that_the_font_has_are_drawn_the_same_whatever_fonts_there_are(make_font, use):
    use()
    before = plot_class_distribution(counts("Réalisme", "Δ", "prints"))
    use(make_font("of letters", "Réalismeprnt"))
    assert plot_class_distribution(counts("Réalisme", "Δ", "prints")) == before


def test_several_fonts_together_have_what_none_has_alone(make_font, use, caplog):
    use(make_font("first", "浮世"), make_font("second", "絵世"), make_font("third", "x"), __file__, "none.ttf")
    plot_class_distribution(counts(PRINTS, "prints"))
    assert not warnings(caplog)


def test_a_name_that_no_font_has_is_named_once(use, caplog):
    use()
    rows = pd.DataFrame({"object_id": range(8), "label": [PRINTS, "prints"] * 4, "split": "test"})
    table = make_predictions(rows, [[0.8, 0.2], [0.3, 0.7]] * 4, [PRINTS, "prints"], origins="held_out")
    for _ in range(2):
        plot_class_distribution(counts(PRINTS, "prints"))
        plot_confusion_matrix(table)
        plot_prediction_examples(table, lambda _: None)
    (line,) = warnings(caplog)
    assert line.startswith(f"No font has all characters of the name {PRINTS!r}, so figures show boxes")
    assert "pip install '.[fonts]'" in line
    assert "Noto Sans CJK" in line


def test_what_cannot_be_seen_is_no_part_of_a_name():
    assert short_names(["a\u200d\tb\nc\u202e", "d\x07"], 20) == ["a b c", "d"]
