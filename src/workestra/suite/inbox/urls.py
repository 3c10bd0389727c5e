"""The Inbox: list, reader, and the fragments that keep both current."""

from django.urls import path

from workestra.suite.inbox import conversations, marks, views

app_name = "inbox"
urlpatterns = [
    path("inbox", views.inbox, name="list"),
    path("inbox/count", views.count, name="count"),
    path("inbox/row/<int:thread_id>", views.row, name="row"),
    path("inbox/t/<int:thread_id>", views.thread, name="thread"),
    path("inbox/t/<int:thread_id>/read", marks.read, name="read"),
    path("inbox/t/<int:thread_id>/split", conversations.split, name="split"),
    path("inbox/t/<int:thread_id>/merge", conversations.merge, name="merge"),
    path("inbox/t/<int:thread_id>/choices", conversations.choices, name="choices"),
    path("inbox/t/<int:thread_id>/refusal", marks.refusal, name="refusal"),
]
