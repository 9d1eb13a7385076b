import pytest
from PIL import Image

from art_pipeline.sources import sample_sheet as sheet
from art_pipeline.sources.sample.catalogue import departments


def test_the_sheet_has_a_row_for_each_department(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "departments", lambda: {number: departments()[number] for number in (18, 8)})
    sheet.main([str(tmp_path / "sheet.jpg"), "3"])
    with Image.open(tmp_path / "sheet.jpg") as image:
        assert image.size == sheet.contact_sheet(3).shape[1::-1]


def test_the_sheet_wants_a_file(capsys):
    with pytest.raises(SystemExit):
        sheet.main([])
    assert "required: file" in capsys.readouterr().err
