from django.db import migrations, models

import messaging.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0014_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="provider",
            field=models.CharField(
                blank=True,
                choices=[
                    ("brevo", "Brevo"),
                    ("mailersend", "MailerSend"),
                    ("mailgun", "Mailgun"),
                    ("mailjet", "Mailjet"),
                    ("postmark", "Postmark"),
                    ("resend", "Resend"),
                    ("sendgrid", "SendGrid"),
                    ("sparkpost", "SparkPost"),
                ],
                max_length=20,
                verbose_name="provider",
            ),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="provider_domain",
            field=models.CharField(blank=True, max_length=253, verbose_name="sending domain"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="provider_key",
            field=messaging.sealed.SealedField(blank=True, verbose_name="API key"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="provider_secret",
            field=messaging.sealed.SealedField(blank=True, verbose_name="secret key"),
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="sends",
            field=models.CharField(
                choices=[
                    ("company", "The company’s mail server"),
                    ("smtp", "A mail server of its own"),
                    ("provider", "A mail provider, with a key of its own"),
                ],
                default="company",
                max_length=20,
                verbose_name="sends through",
            ),
        ),
    ]
