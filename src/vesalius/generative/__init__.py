"""The mathematics of learning to draw, for any network."""
