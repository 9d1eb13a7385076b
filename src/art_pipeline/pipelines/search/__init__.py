"""Stage ``search_<model>``: search of a model's parameters."""
