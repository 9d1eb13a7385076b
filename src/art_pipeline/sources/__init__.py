"""Where objects and images come from: museum APIs, data sets in files, the sample; all to the same table."""
