"""Nothing: the full-text indexes that this made are removed by 0003."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = []
