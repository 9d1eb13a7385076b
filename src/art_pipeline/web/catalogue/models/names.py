"""Lengths of names."""

NAME = 191  # characters that MySQL can index in full
WORD = 64  # characters of a word of the keyword search
