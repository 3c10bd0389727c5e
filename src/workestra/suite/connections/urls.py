"""Settings > Integrations > Outlook, and the way to Microsoft and back."""

from django.urls import path

from workestra.suite.connections import actions, logbook, sign_in, views

app_name = "connections"
OUTLOOK = "settings/integrations/outlook"
urlpatterns = [
    path("settings/integrations", views.integrations, name="integrations"),
    path("settings/integrations/mark", views.mark, name="mark"),
    path(OUTLOOK, views.outlook, name="outlook"),
    path(f"{OUTLOOK}/begin", sign_in.begin, name="begin"),
    path("oauth/outlook/callback", sign_in.callback, name="callback"),
    path(f"{OUTLOOK}/<int:connection_id>", logbook.one, name="one"),
    path(f"{OUTLOOK}/<int:connection_id>/check", logbook.check, name="check"),
    path(f"{OUTLOOK}/<int:connection_id>/row", views.row, name="row"),
    path(f"{OUTLOOK}/<int:connection_id>/backfill", views.backfill, name="backfill"),
    path(f"{OUTLOOK}/<int:connection_id>/history", actions.start_history, name="history"),
    path(f"{OUTLOOK}/<int:connection_id>/skip", actions.skip_history, name="skip"),
    path(f"{OUTLOOK}/<int:connection_id>/backfill/<int:backfill_id>/<str:verb>", actions.steer, name="steer"),
    path(f"{OUTLOOK}/<int:connection_id>/sync", actions.sync_now, name="sync"),
    path(f"{OUTLOOK}/<int:connection_id>/run/<int:run_id>", actions.run, name="run"),
]
