"""A contact sheet: each photograph with its paintings outlined, beside the straightened crops."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from art_pipeline.detection.detect import Painting
from art_pipeline.detection.labels import Label

ROWS = 10  # photographs on a sheet
WIDTH, ROW = 1600, 330  # of a sheet, and the height of a row, in pixels
PHOTO = (440, 290)  # a photograph fits into this
CROP = (150, 200)  # a crop fits into this
MARGIN, LINE = 16, 3
MAX_CROPS = (WIDTH - PHOTO[0] - 3 * MARGIN) // (CROP[0] + MARGIN)
PAPER, INK, FAINT, BADGE = (250, 250, 248), (30, 30, 30), (110, 110, 110), (255, 255, 255)
COLOURS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))  # Okabe & Ito
QUALITY = 88
LONGEST_NAME = 60


@dataclass(frozen=True)
class Entry:
    """What a contact sheet shows of a file; see `art_pipeline.detection.folder.Found`."""

    file: str
    status: str
    size: tuple[int, int]
    paintings: Sequence[Painting]
    labels: Sequence[Label]
    crops: Sequence[Image.Image]
    photograph: Image.Image | None

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 -- the fields
        cls,
        file: str,
        status: str,
        size: tuple[int, int],
        paintings: Sequence[Painting],
        labels: Sequence[Label],
        crops: Sequence[bytes],
        photograph: Image.Image | None,
    ) -> Self:
        """Create an entry from JPEG files of the crops."""
        small = [cls._small(body) for body in crops[:MAX_CROPS]]
        return cls(file, status, size, paintings, labels, small, photograph)

    @staticmethod
    def thumbnail_of(pixels: np.ndarray) -> Image.Image:
        """Return a photograph that fits into its place."""
        image = Image.fromarray(pixels)
        image.thumbnail(PHOTO, Image.Resampling.LANCZOS, reducing_gap=3.0)
        return image

    @staticmethod
    def _small(body: bytes) -> Image.Image:
        with Image.open(io.BytesIO(body)) as image:
            image.draft("RGB", CROP)
            image.thumbnail(CROP, Image.Resampling.LANCZOS)
            return image.copy()


def write_contact_sheets(entries: Iterable[Entry], folder: Path) -> None:
    """Write ``contact_sheet.jpg``, and after every `ROWS` files another: ``contact_sheet_2.jpg`` and so on."""
    page, number = list[Entry](), 1
    for entry in entries:
        page.append(entry)
        if len(page) == ROWS:
            _write(page, folder, number)
            page, number = [], number + 1
    if page:
        _write(page, folder, number)


def _write(page: Sequence[Entry], folder: Path, number: int) -> None:
    sheet = Image.new("RGB", (WIDTH, ROW * len(page) + MARGIN), PAPER)
    for row, entry in enumerate(page):
        _draw_row(sheet, entry, row * ROW + MARGIN)
    name = "contact_sheet.jpg" if number == 1 else f"contact_sheet_{number}.jpg"
    sheet.save(folder / name, "JPEG", quality=QUALITY)


def _draw_row(sheet: Image.Image, entry: Entry, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    if top > MARGIN:
        draw.line([(MARGIN, top - MARGIN // 2), (WIDTH - MARGIN, top - MARGIN // 2)], fill=(222, 222, 218))
    if entry.photograph is not None:
        sheet.paste(_outlined(entry), (MARGIN, top))
    left = PHOTO[0] + 2 * MARGIN
    name = entry.file if len(entry.file) <= LONGEST_NAME else f"…{entry.file[1 - LONGEST_NAME :]}"
    draw.text((left, top), _drawable(name), INK, _font(17))
    draw.text((left, top + 24), _summary(entry), FAINT, _font(15))
    for place, crop in enumerate(entry.crops):
        x, y = left + place * (CROP[0] + MARGIN), top + 54
        sheet.paste(crop, (x, y))
        draw.text((x, y + crop.height + 5), _caption(entry, place), INK, _font(14))
        draw.rectangle([x, y + crop.height, x + crop.width, y + crop.height + 2], COLOURS[place % len(COLOURS)])


def _summary(entry: Entry) -> str:
    if entry.status != "ok":
        return f"Not read: {entry.status.replace('_', ' ')}"
    number = len(entry.paintings)
    found = {0: "no painting found", 1: "1 painting"}.get(number, f"{number} paintings")
    more = f", the first {MAX_CROPS} of them here" if number > MAX_CROPS else ""
    return f"{entry.size[0]:,} by {entry.size[1]:,} pixels; {found}{more}"


def _caption(entry: Entry, place: int) -> str:
    label = entry.labels[place]
    lines = [f"{place + 1}   score {entry.paintings[place].score:.2f}"]
    if label.label:
        lines.append(_drawable(label.label[:20]))
        lines += [f"probability {label.probability:.2f}"] if label.probability is not None else []
    return "\n".join(lines)


def _outlined(entry: Entry) -> Image.Image:
    """Return the photograph with the outline and the number of each painting."""
    assert entry.photograph is not None
    shown = entry.photograph.copy()
    draw, scale = ImageDraw.Draw(shown), shown.width / entry.size[0]
    for place, painting in enumerate(entry.paintings):
        colour, points = COLOURS[place % len(COLOURS)], [(x * scale, y * scale) for x, y in painting.corners]
        draw.line([*points, points[0], points[1]], colour, LINE, joint="curve")
        x, y = points[0]
        draw.rectangle([x, y, x + 10 + 9 * len(str(place + 1)), y + 20], colour)
        draw.text((x + 5, y + 1), str(place + 1), BADGE, _font(15))
    return shown


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """Return text without line ends."""
    return " ".join(text.split())
