"""Addresses of uploads and predictions."""

from django.urls import path

from art_pipeline.web.uploads import views

app_name = "uploads"
urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("predict/", views.predict, name="predict"),
    path("predict/<uuid:request_id>/", views.prediction, name="prediction"),
    path("artworks/<str:key>/extract/", views.extract, name="extract"),
    path("artworks/<str:key>/delete/", views.delete, name="delete"),
    path("artworks/<str:key>/verify/<str:model>/", views.verify, name="verify"),
]
