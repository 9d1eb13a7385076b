"""Search of a model's parameters: spaces, trials, and the best block."""
