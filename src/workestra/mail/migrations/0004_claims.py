from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_fewer_keys")]

    operations = [
        migrations.AddField(
            model_name="slice", name="holder", field=models.CharField(max_length=32, db_default="", blank=True)
        ),
        migrations.AddField(model_name="slice", name="held_until", field=models.DateTimeField(null=True)),
    ]
