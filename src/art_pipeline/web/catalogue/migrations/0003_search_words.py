"""Words of the keyword search in place of full-text indexes; what pages show of each model's predictions."""

from django.db import migrations, models

TRIGGERS = [f"DROP TRIGGER IF EXISTS catalogue_search_{name}" for name in ("insert", "delete", "update")]


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0002_search")]
    operations = [
        migrations.RunSQL([*TRIGGERS, "DROP TABLE IF EXISTS catalogue_search"], migrations.RunSQL.noop),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=64, unique=True)),
                ("artworks", models.BinaryField()),
                ("weights", models.BinaryField()),
            ],
        ),
        migrations.AddField("trainedmodel", "curve", models.JSONField(default=list)),
        migrations.AddField("trainedmodel", "validation_accuracy", models.FloatField(null=True)),
    ]
