"""Addresses of the review."""

from django.urls import path

from art_pipeline.web.review import views
from art_pipeline.web.review.statistics_view import statistics

app_name = "review"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("decide/", views.decide, name="decide"),
    path("undo/", views.undo, name="undo"),
    path("shortcuts/", views.shortcuts, name="shortcuts"),
    path("statistics/", statistics, name="statistics"),
]
