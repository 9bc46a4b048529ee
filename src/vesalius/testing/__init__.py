"""Checks for operators, metrics and networks: used by our tests, offered to plug-ins."""
