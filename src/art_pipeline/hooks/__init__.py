"""Kedro hooks: parameter checks, the run lock, progress, lineage, MLflow, and the summary at the end.

Each hook declares its place with ``tryfirst``, ``trylast`` or ``wrapper``, so that the order in ``settings.HOOKS``
does not matter.
"""
