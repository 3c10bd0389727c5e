"""A folder that Microsoft does not let us read is put aside, and says why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("mail", "0008_found_at")]

    operations = [
        migrations.AddField(
            model_name="folder",
            name="refused",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        )
    ]
