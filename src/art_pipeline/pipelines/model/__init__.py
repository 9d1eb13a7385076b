"""Train, predict, evaluate: the same wiring for every model."""
