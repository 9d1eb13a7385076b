"""Generators and discriminators, one kind per file."""
