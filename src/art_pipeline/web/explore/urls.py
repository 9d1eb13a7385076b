"""Addresses of the pages to browse."""

from django.urls import path

from art_pipeline.web.explore import views

app_name = "explore"
urlpatterns = [
    path("", views.home, name="home"),
    path("artworks/<str:key>/", views.artwork, name="artwork"),
    path("drawings/<str:digest>/<str:kind>.svg", views.drawing, name="drawing"),
    path("browse/<str:name>/", views.values, name="terms"),
    path("models/", views.models, name="models"),
    path("models/<str:name>/", views.model, name="model"),
    path("models/<str:name>/card/", views.card, name="model_card"),
]
