"""A folder of images for each class: the simplest of all data sets."""

from art_pipeline.sources.datasets.layouts import Layout
from art_pipeline.sources.datasets.tables import list_images

# Any other column may be what they are sorted by: museum.files.columns: {style: folder}.
FOLDER = Layout(list_images, {"image": "image", "title": "file", "classification": "folder"})
