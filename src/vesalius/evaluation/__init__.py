"""Drawn images against the truth: levels of judgement, statistics, downstream value."""
