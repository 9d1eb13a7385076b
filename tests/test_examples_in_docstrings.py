"""The ``>>>`` examples of the package are run; modules without one are not imported."""

import doctest
import os
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MODULES = [
    ".".join(file.relative_to(SOURCE).with_suffix("").parts)
    for file in sorted(SOURCE.rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.fixture(scope="session")
def django_is_set_up(tmp_path_factory):
    """Settings of the web page, unless its own tests have set them up."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "art_pipeline.web.settings")
    os.environ.setdefault("ART_PIPELINE_WEB", str(tmp_path_factory.mktemp("web")))
    django.setup()


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name, request):
    if name.startswith("art_pipeline.web"):
        request.getfixturevalue("django_is_set_up")
    module = import_module(name.removesuffix(".__init__"))
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed == 0
