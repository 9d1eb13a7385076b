"""Django's settings. They depend on environment variables alone; docs/web.md lists them."""

import os
from pathlib import Path

from art_pipeline.web.environment import bucket_of, database_settings, is_set, listed, secret_key

PROJECT = Path(os.environ.get("ART_PIPELINE_PROJECT") or Path.cwd()).resolve()
STATE = Path(os.environ.get("ART_PIPELINE_WEB") or PROJECT / "data" / "web").resolve()
DEBUG = is_set("DEBUG")
HTTPS = is_set("HTTPS")
SECRET_KEY = secret_key(STATE)
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "axes",
    "art_pipeline.web.catalogue",
    "art_pipeline.web.accounts",
    "art_pipeline.web.jobs",
    "art_pipeline.web.explore",
    "art_pipeline.web.uploads",
    "art_pipeline.web.discovery",
    "art_pipeline.web.generated",
    "art_pipeline.web.maps",
    "art_pipeline.web.review",
    "art_pipeline.web.api",
    "art_pipeline.web.similar",
    "art_pipeline.web.audit",
]
MIDDLEWARE = [
    "art_pipeline.web.headers.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "art_pipeline.web.headers.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "art_pipeline.web.outages.Outages",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "art_pipeline.web.uploads.limit.RequestLimit",
]
ROOT_URLCONF = "art_pipeline.web.urls"
WSGI_APPLICATION = "art_pipeline.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "art_pipeline.web.context.site",
            ]
        },
    }
]

DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", ""), STATE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "quick"]}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Uploaded and imported images: local files, or a bucket. Static files: served by WhiteNoise, with digests in names.
MEDIA_BUCKET = bucket_of(os.environ.get("MEDIA_URL", ""))
MEDIA_ROOT = STATE / "media"
STATIC_URL = "static/"
STATIC_ROOT = STATE / "static"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STORAGES = {
    "default": {"BACKEND": "art_pipeline.web.catalogue.media.storage"},
    "staticfiles": {"BACKEND": "art_pipeline.web.static_files.StaticFiles"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 21
MAX_UPLOAD_MEGABYTES, UPLOADS_PER_HOUR = 20, int(os.environ.get("UPLOADS_PER_HOUR") or 200)  # per image; per user

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "accounts:login", "explore:home", "explore:home"
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = is_set("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

MLFLOW_UI = os.environ.get("MLFLOW_UI", "")  # address of MLflow's page, to which the models link

# Errors of requests are printed, also without DEBUG; addresses that are not there are not.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING"}, "django.request": {"level": "ERROR"}},
}

LANGUAGE_CODE, TIME_ZONE, USE_TZ, USE_I18N = "en", "UTC", True, False
USE_THOUSAND_SEPARATOR = True
# Longest list of predictions that a user sees; whether all users see each other's.
LATEST_PREDICTIONS, SHARED_PREDICTIONS = 10, is_set("SHARED_PREDICTIONS")
