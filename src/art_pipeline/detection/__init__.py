"""Paintings in photographs of rooms and walls: where they are, and straightened crops of them.

`art_pipeline.detection.rooms` draws rooms with known paintings, to train and to measure.
"""
