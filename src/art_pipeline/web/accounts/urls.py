"""Addresses of login, logout and the change of a password."""

from django.contrib.auth import views
from django.urls import path, reverse_lazy

app_name = "accounts"
change = views.PasswordChangeView.as_view(
    template_name="accounts/password.html", success_url=reverse_lazy("accounts:changed")
)
urlpatterns = [
    path("login/", views.LoginView.as_view(template_name="accounts/login.html"), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("password/", change, name="password"),
    path(
        "password/changed/",
        views.PasswordChangeDoneView.as_view(template_name="accounts/changed.html"),
        name="changed",
    ),
]
