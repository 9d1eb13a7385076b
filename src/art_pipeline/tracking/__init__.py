"""MLflow: the store of runs, what is logged, how runs are found, and the user interface.

The only package that imports MLflow, and only inside functions.
"""
