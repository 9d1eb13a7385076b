"""The application that gunicorn serves."""

import os
import sys

from django.core.wsgi import get_wsgi_application

# A thread that only looks something up must not wait 5 ms, the default, for one that computes, at each query.
sys.setswitchinterval(0.0005)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "art_pipeline.web.settings")
application = get_wsgi_application()
