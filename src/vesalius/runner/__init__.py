"""From a recipe to a run folder: fit, draw, judge, report; and trained runs put to use."""
