"""Addresses of IIIF."""

from django.urls import path, re_path

from art_pipeline.web.api import iiif_views as views

app_name = "iiif"
urlpatterns = [
    path("artworks/<str:key>/manifest.json", views.manifest, name="manifest"),
    path("collection.json", views.collection, name="collection"),
    path("images/<str:digest>", views.image_base, name="image"),
    path("images/<str:digest>/info.json", views.image_info, name="info"),
    path("images/<str:digest>/full/<str:size>/0/default.jpg", views.image, name="size"),
    re_path("", views.nothing),
]
