"""Errors that mean that the database or the storage cannot be reached now."""

from django.db.utils import InterfaceError, OperationalError

from art_pipeline.errors import causes

AWAY = (OperationalError, InterfaceError, ConnectionError, TimeoutError)
LIBRARIES = {"botocore", "urllib3"}


def is_away(error: BaseException) -> bool:
    """Return whether the database or the storage cannot be reached, so that another attempt may succeed.

    >>> is_away(ConnectionRefusedError()), is_away(KeyError())
    (True, False)
    """
    return any(isinstance(one, AWAY) or type(one).__module__.partition(".")[0] in LIBRARIES for one in causes(error))
