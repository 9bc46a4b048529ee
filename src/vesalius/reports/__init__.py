"""Results, as plain data, to pages: HTML that holds everything, and Markdown for the docs."""

from vesalius.reports.comparison import write_comparison
from vesalius.reports.content import (
    Curve,
    Picture,
    ReportContent,
    Scatter,
    Strip,
    Table,
    spanning_window,
)
from vesalius.reports.markdown import records_markdown
from vesalius.reports.rendering import records_table
from vesalius.reports.report import write_report
from vesalius.reports.results import results_table
from vesalius.reports.verdict import verdict

__all__ = [
    "Curve",
    "Picture",
    "ReportContent",
    "Scatter",
    "Strip",
    "Table",
    "records_markdown",
    "records_table",
    "results_table",
    "spanning_window",
    "verdict",
    "write_comparison",
    "write_report",
]
