"""Works to hang in rooms."""

import pytest

from art_pipeline.detection.images import sample_images


@pytest.fixture(scope="session")
def works():
    """Images of works of another sample museum than the one that the scorer was trained on."""
    return sample_images(1, 12)
