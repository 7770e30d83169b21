"""Edits that remove findings."""
