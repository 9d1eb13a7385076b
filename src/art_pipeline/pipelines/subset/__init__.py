"""Objects with images to a balanced, split and leak-free manifest."""
