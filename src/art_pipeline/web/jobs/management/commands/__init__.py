"""Commands of the app, a file each."""
