"""Linking: facts of all files in, findings out."""
