"""``dvc.yaml`` from the pipelines, plots without a network, and an S3 server to try with."""
