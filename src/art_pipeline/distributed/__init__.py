"""Features and predictions of many images, computed with Spark on one or more computers."""
