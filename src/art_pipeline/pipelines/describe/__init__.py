"""Images to SIFT descriptors, shared by all models that use words."""
