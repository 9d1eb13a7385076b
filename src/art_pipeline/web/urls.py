"""Addresses of the pages."""

from django.contrib import admin
from django.urls import include, path

handler500 = "art_pipeline.web.outages.fault"
urlpatterns = [
    path("", include("art_pipeline.web.explore.urls")),
    path("", include("art_pipeline.web.catalogue.urls")),
    path("", include("art_pipeline.web.uploads.urls")),
    path("", include("art_pipeline.web.maps.urls")),
    path("", include("art_pipeline.web.jobs.urls")),
    path("", include("art_pipeline.web.discovery.urls")),
    path("", include("art_pipeline.web.generated.urls")),
    path("review/", include("art_pipeline.web.review.urls")),
    path("accounts/", include("art_pipeline.web.accounts.urls")),
    path("api/", include("art_pipeline.web.api.urls")),
    path("iiif/", include("art_pipeline.web.api.iiif_urls")),
    path("admin/", admin.site.urls),
]
