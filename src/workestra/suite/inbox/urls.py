"""The Inbox: list, reader, and the fragments that keep both current."""

from django.urls import path

from workestra.suite.inbox import views

app_name = "inbox"
urlpatterns = [
    path("inbox", views.inbox, name="list"),
    path("inbox/count", views.count, name="count"),
    path("inbox/row/<int:thread_id>", views.row, name="row"),
    path("inbox/t/<int:thread_id>", views.thread, name="thread"),
]
