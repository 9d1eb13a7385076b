"""Sources of objects and images: museum APIs, data sets in files, and the embedded sample."""
