"""The index of the keyword search, kept by triggers."""

from django.db import migrations

COLUMNS = ("title", "artist", "culture", "medium", "keywords")
NAMES = ", ".join(COLUMNS)
NEW, OLD = (", ".join(f"{row}.{name}" for name in COLUMNS) for row in ("new", "old"))
REMOVE = f"INSERT INTO catalogue_search(catalogue_search, rowid, {NAMES}) VALUES ('delete', old.id, {OLD});"
ADD = f"INSERT INTO catalogue_search(rowid, {NAMES}) VALUES (new.id, {NEW});"

SQLITE = (
    f"CREATE VIRTUAL TABLE catalogue_search USING fts5({NAMES}, content='catalogue_artwork', content_rowid='id', "
    "tokenize=\"unicode61 remove_diacritics 2\", prefix='2 3')",
    f"CREATE TRIGGER catalogue_search_insert AFTER INSERT ON catalogue_artwork BEGIN {ADD} END",
    f"CREATE TRIGGER catalogue_search_delete AFTER DELETE ON catalogue_artwork BEGIN {REMOVE} END",
    f"CREATE TRIGGER catalogue_search_update AFTER UPDATE OF id, {NAMES} ON catalogue_artwork BEGIN {REMOVE} {ADD} END",
)

# A word counts as often as it occurs: those of title and artist count more.
WORDS = f"CONCAT_WS(' ', new.title, new.title, new.artist, {NEW})"
MYSQL = (
    "SET SESSION innodb_ft_enable_stopword = OFF",  # of the tables that are created from now on
    "CREATE TABLE catalogue_search (artwork_id BIGINT NOT NULL PRIMARY KEY, words LONGTEXT NOT NULL, "
    "FULLTEXT KEY words (words)) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "CREATE TRIGGER catalogue_search_insert AFTER INSERT ON catalogue_artwork FOR EACH ROW "
    f"INSERT INTO catalogue_search (artwork_id, words) VALUES (new.id, {WORDS})",
    "CREATE TRIGGER catalogue_search_delete AFTER DELETE ON catalogue_artwork FOR EACH ROW "
    "DELETE FROM catalogue_search WHERE artwork_id = old.id",
    "CREATE TRIGGER catalogue_search_update AFTER UPDATE ON catalogue_artwork FOR EACH ROW "
    f"UPDATE catalogue_search SET words = {WORDS} WHERE artwork_id = new.id",
)
STATEMENTS = {"sqlite": SQLITE, "mysql": MYSQL}


def create(apps, schema_editor):
    for statement in STATEMENTS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    for name in ("insert", "delete", "update"):
        schema_editor.execute(f"DROP TRIGGER catalogue_search_{name}")
    schema_editor.execute("DROP TABLE catalogue_search")


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunPython(create, remove, atomic=False)]
