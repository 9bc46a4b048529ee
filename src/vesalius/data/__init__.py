"""Where images come from: sources, patient-level splits, file formats."""

from vesalius.data.checks import require_channels, require_mask, require_varied
from vesalius.data.formats import FORMATS, Format, read_image, write_image
from vesalius.data.open import all_sources, open_source
from vesalius.data.source import Case, Source, pseudonym
from vesalius.data.split import Split, SplitRule
from vesalius.data.stream import prefetch

__all__ = [
    "FORMATS",
    "Case",
    "Format",
    "Source",
    "Split",
    "SplitRule",
    "all_sources",
    "open_source",
    "prefetch",
    "pseudonym",
    "read_image",
    "require_channels",
    "require_mask",
    "require_varied",
    "write_image",
]
