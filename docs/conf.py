"""How the documentation is built: Sphinx, MyST and Furo, offline; the reference from the code."""

from __future__ import annotations

import sys
from pathlib import Path

import vesalius

sys.path.insert(0, str(Path(__file__).parent))  # for generate

project = "Vesalius"
author = "The Vesalius authors"
copyright = "the Vesalius authors, Apache-2.0"  # noqa: A001 (Sphinx's own word)
release = version = vesalius.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generate"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["reference/generated/README.md", "explanation/generated/*.md"]

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # signatures say them; numpy style would say them twice
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"Vesalius {release}"
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
