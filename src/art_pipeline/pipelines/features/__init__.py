"""Stage ``features_<name>``: features of all images, once per image."""
