"""Recipes of acquisition and reconstruction."""
