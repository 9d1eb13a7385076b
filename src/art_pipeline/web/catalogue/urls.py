"""Addresses of images."""

from django.urls import path

from art_pipeline.web.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("images/<str:digest>.jpg", views.image, name="image"),
    path("thumbnails/<str:digest>.jpg", views.thumbnail, name="thumbnail"),
]
