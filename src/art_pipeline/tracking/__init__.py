"""MLflow: where its runs are kept, what is logged to them, and its page.

With `tracked_results`, the only package that imports MLflow, and not before a function needs it.
"""
