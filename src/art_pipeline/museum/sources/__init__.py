"""Where objects and pictures come from: a service each, or a layout of files each, to the same table."""
