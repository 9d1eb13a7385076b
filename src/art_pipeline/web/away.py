"""Errors that mean that the database or the storage cannot be reached now."""

import logging

from django.db.utils import InterfaceError, OperationalError

from art_pipeline.errors import causes

AWAY = (InterfaceError, ConnectionError, TimeoutError)
LIBRARIES = {"botocore", "urllib3"}
# Errors of MySQL and MariaDB: too many connections, shutdown, network, lock wait, deadlock, killed, idle.
SERVER_AWAY = {1040, 1053, 1077, 1129, 1130, 1152, *range(1158, 1162), 1205, 1213, 1927, 4031}
CLIENT_AWAY = range(2000, 3000)
SQLITE_ERROR = 1  # of a statement, such as a column that is not there


def is_away(error: BaseException) -> bool:
    """Return whether the database or the storage cannot be reached, so that another attempt may succeed.

    >>> is_away(ConnectionRefusedError()), is_away(KeyError())
    (True, False)
    >>> is_away(OperationalError(2013, "Lost connection")), is_away(OperationalError(1054, "Unknown column 'x'"))
    (True, False)
    """
    return any(_is_away(one) for one in causes(error))


def level_of(error: BaseException) -> int:
    """Return the level at which to log an error of work that is repeated: an outage passes, another error is a fault.

    >>> logging.getLevelName(level_of(TimeoutError())), logging.getLevelName(level_of(KeyError()))
    ('DEBUG', 'ERROR')
    """
    return logging.DEBUG if is_away(error) else logging.ERROR


def _is_away(error: BaseException) -> bool:
    if isinstance(error, OperationalError):
        return _is_outage(error)
    return isinstance(error, AWAY) or type(error).__module__.partition(".")[0] in LIBRARIES


def _is_outage(error: OperationalError) -> bool:
    """Return whether a database says that it is away or busy, not that it does not understand a statement."""
    code = error.args[0] if error.args else None
    if isinstance(code, int):
        return code in SERVER_AWAY or code in CLIENT_AWAY
    return getattr(error.__cause__, "sqlite_errorcode", None) != SQLITE_ERROR
