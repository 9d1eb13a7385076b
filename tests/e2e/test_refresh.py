"""The command ``kedro museum refresh``."""

import json

COMMAND = ("kedro", "museum", "refresh", "--env", "test")
SUMMARY = "data/test/08_reporting/museum_changes/0001.json"


def answers(project, kind):
    """Where the museum's answers of a kind lie."""
    return next((project.data / "01_raw" / kind).glob("*.jsonl"))


def test_where_nothing_changed_nothing_is_changed(copied):
    before = copied.files()
    said = copied.do(*COMMAND)
    assert "objects: 0 added, 0 removed, 0 changed" in said
    assert f"{SUMMARY}. Continue with kedro run or dvc repro." in said
    after = copied.files()
    assert {name for name in after if name not in before} == {SUMMARY}
    assert {name: after[name] for name in before} == before


def test_what_the_museum_has_otherwise_is_brought_and_told(copied):
    before, file = copied.files(), answers(copied, "records")
    lines = file.read_text().splitlines()
    one = json.loads(next(line for line in lines if '"record":{' in line))
    old = json.dumps(one | {"record": one["record"] | {"title": "As it was"}}, separators=(",", ":"))
    file.write_text(
        "".join(f"{old if json.loads(line)['object_id'] == one['object_id'] else line}\n" for line in lines)
    )
    said = copied.do(*COMMAND, "--since", "1900-01-01")
    assert "objects: 0 added, 0 removed, 1 changed" in said
    told = json.loads((copied.path / SUMMARY).read_text())
    assert told["objects"]["changed"] == {str(one["object_id"]): ["title"]}
    assert {name: content for name, content in copied.files().items() if name != SUMMARY} == before


def test_before_anything_is_held_it_says_what_comes_first(project):
    assert "Run kedro run --pipelines scrape,download." in project.do(*COMMAND, check=False)
