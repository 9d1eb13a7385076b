import pandas as pd
import pytest

from art_pipeline.pipelines.report.nodes import credit_images


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://museum.example/1?a=b#c", True),
        ("HTTP://museum.example/1", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("https://a b", False),
        ("//museum.example", False),
        ("", False),
    ],
)
def test_an_address_in_the_credits_is_one_of_the_web_or_none(address, written):
    row = {"object_id": [7], "title": "=1+1", "artist": "", "source": "table", "licence": "", "object_url": address}
    credits = credit_images(pd.DataFrame(row), one=pd.DataFrame({"object_id": [7]}))
    assert credits["object_url"].tolist() == [address if written else ""]
    assert credits["title"].tolist() == ["=1+1"]  # what saves it makes it safe
