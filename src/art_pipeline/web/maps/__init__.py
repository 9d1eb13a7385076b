"""Maps of where a model sees a class in an artwork, computed on demand."""
