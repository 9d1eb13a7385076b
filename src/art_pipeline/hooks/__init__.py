"""What Kedro calls around a run: checks, progress, lineage, MLflow, and the summary at the end."""
