"""Addresses of generated images."""

from django.urls import path

from art_pipeline.web.generated import views

app_name = "generated"
urlpatterns = [
    path("generated/", views.generators, name="generators"),
    path("generated/<str:digest>.png", views.sheet, name="sheet"),
]
