"""Addresses of maps."""

from django.urls import path

from art_pipeline.web.maps import views

app_name = "maps"
urlpatterns = [
    path("artworks/<str:key>/map/", views.start, name="start"),
    path("maps/<str:digest>.jpg", views.image, name="image"),
]
