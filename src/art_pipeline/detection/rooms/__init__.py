"""Rooms that are drawn from a seed, with works whose quadrilaterals are known."""
