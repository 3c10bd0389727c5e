"""An empty language or time zone is the browser's. What nobody could choose until now was nobody's choice."""

from __future__ import annotations

from django.db import migrations, models

FORGET = """
update tenancy_user set time_zone = '' where time_zone = 'UTC';
update tenancy_user set language = '' where language = 'en';
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]

    operations = [
        migrations.AlterField("user", "time_zone", models.CharField(blank=True, default="", max_length=64)),
        migrations.AlterField("user", "language", models.CharField(blank=True, default="", max_length=16)),
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
    ]
