"""Training of networks: batches, early stopping, checkpoints."""
