"""Vesalius draws medical images and checks them against the truth."""
__version__ = "0.1.0"
