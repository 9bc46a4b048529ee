"""Checks for operators, metrics, networks and samplers: used by our tests, offered to plug-ins."""
