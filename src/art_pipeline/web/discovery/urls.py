"""Addresses of clusters and maps."""

from django.urls import path

from art_pipeline.web.discovery import views

app_name = "discovery"
urlpatterns = [
    path("clusters/", views.clusterings, name="clusterings"),
    path("clusters/<str:name>/", views.clustering, name="clustering"),
    path("clusters/<str:name>/map/", views.collection_map, name="map"),
    path("clusters/<str:name>/artists/", views.artists, name="artists"),
    path("clusters/<str:name>/<int:number>/", views.cluster, name="cluster"),
]
