"""Small training classes filled up with altered copies of their images."""
