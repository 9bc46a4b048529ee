"""Recipes of diagnosis: translation and synthesis."""
