"""Similar works: exact search by one set of features or a mix of several, and how good it is."""
