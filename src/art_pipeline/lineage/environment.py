"""The Python environment of a result, without host names, user names and absolute paths."""

import platform
import re
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from art_pipeline.lineage.digest import digest_file
from art_pipeline.lineage.record import Environment

LOCK = "requirements.lock"


def describe_environment(project: Path) -> Environment:
    """Return the Python version, the platform and the versions of the packages that the lock file pins."""
    lock = project / LOCK
    return Environment(
        lock=digest_file(lock) if lock.exists() else None,
        python=platform.python_version(),
        platform=f"{platform.system()}-{platform.machine()}".lower(),
        cpu=_cpu_features(),
        packages=_installed_versions(pinned_versions(lock.read_text(encoding="utf-8")) if lock.exists() else ()),
    )


def pinned_versions(lock: str) -> dict[str, set[str]]:
    """Return the pinned versions of each package of a lock file; several where they depend on the platform.

    >>> pinned_versions("numpy==2.4.0 ; python_version < '3.12'")
    {'numpy': {'2.4.0'}}
    """
    pinned: dict[str, set[str]] = {}
    for name, number in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE):
        pinned.setdefault(name, set()).add(number)
    return pinned


def _installed_versions(names: Iterable[str]) -> dict[str, str]:
    installed = {}
    for name in sorted(names):
        with suppress(PackageNotFoundError):  # pinned for another platform or Python version
            installed[name] = version(name)
    return installed


def _cpu_features() -> tuple[str, ...]:
    from numpy._core._multiarray_umath import __cpu_features__

    return tuple(sorted(name for name, found in __cpu_features__.items() if found))
