"""Support vector machines on visual words, encoded descriptors or a network's features."""
