"""Plots as SVG files of their own: the pages' policy allows no style or script within a page."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import pygal
from flask import Response
from pygal.style import Style

_LIGHT = Style(
    background="transparent", plot_background="transparent", foreground="#585e5b",
    foreground_strong="#1b1d1c", foreground_subtle="#dedcd4", colors=("#0b6b57", "#33566f", "#a8281c"),
    font_family="system-ui, sans-serif",
    label_font_size=14, major_label_font_size=14, legend_font_size=15, value_font_size=13,
)  # fmt: skip
#: An SVG shown as a picture knows nothing of the page around it, but it is told how the reader likes it.
_DARK = """inline:
  @media (prefers-color-scheme: dark) {
    text { fill: #eceeec !important; }
    .guides, .axis .line { stroke: #4a504d !important; }
    .color-0, .color-0 a:visited { fill: #58c9a8 !important; stroke: #58c9a8 !important; }
    .color-1, .color-1 a:visited { fill: #9fc4de !important; stroke: #9fc4de !important; }
    .color-2, .color-2 a:visited { fill: #ff9c8f !important; stroke: #ff9c8f !important; }
  }
"""


def bars(labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> Response:
    """A bar chart; series stand beside each other. The table beside the plot says the same in words."""
    chart = pygal.Bar(
        style=_LIGHT, css=["file://style.css", "file://graph.css", _DARK], js=[], width=760, height=320,
        legend_at_bottom=True, show_legend=len(series) > 1, x_label_rotation=0, truncate_label=-1,
        x_labels_major_count=6 if len(labels) > 8 else None, show_minor_x_labels=len(labels) <= 8,
        margin=6, spacing=8, print_values=False, disable_xml_declaration=False, pretty_print=False,
    )  # fmt: skip
    chart.add_xml_filter(_without_scripts)
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    response = Response(chart.render(), mimetype="image/svg+xml")
    # A picture has a policy of its own: its style is within it, and it may do nothing else.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _without_scripts(root: Element) -> Element:
    """Its library writes its settings into a script, which a picture never runs."""
    for parent in list(root.iter()):
        # The tag of a comment is no text.
        for script in [child for child in parent if str(child.tag).rpartition("}")[2] == "script"]:
            parent.remove(script)
    return root
