"""Training of a generator and its discriminator."""
