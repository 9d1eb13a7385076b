"""Proof of where a number comes from."""
