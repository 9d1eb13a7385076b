"""Addresses of the JSON API."""

from django.urls import path, re_path

from art_pipeline.web.api import similar, views

app_name = "api"
urlpatterns = [
    path("artworks/", views.artworks, name="artworks"),
    path("artworks/<str:key>/", views.artwork, name="artwork"),
    path("artworks/<str:key>/similar/", similar.similar, name="similar"),
    path("facets/", views.facets, name="facets"),
    re_path("", views.nothing),
]
