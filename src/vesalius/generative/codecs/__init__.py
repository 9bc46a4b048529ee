"""Codecs between images and what is drawn: none yet."""
