"""How networks are trained: batches, epochs, early stopping, checkpoints."""
