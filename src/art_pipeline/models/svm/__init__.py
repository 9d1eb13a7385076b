"""Support vector machines on visual words, encoded local descriptors or the features of a network."""
