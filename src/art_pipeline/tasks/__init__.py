"""Tasks: a label column, its classes, the images that are used, and their split."""
