"""DVC: generate dvc.yaml, show plots without a network, and serve S3 for development."""
