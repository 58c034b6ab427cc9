"""A drawing as a file of its own is whole: its style is in it, its ground reaches beyond it, and it fetches nothing."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from trueup.reports.pictures.metric_over_time import MetricAt, metric_over_time
from trueup.reports.pictures.standalone import as_data_uri, standalone_svg

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2024, 1, 1, tzinfo=UTC)
DRAWING = metric_over_time(
    [MetricAt(at=START + timedelta(days=day), measured=0.8 + day / 100) for day in range(9)], metric="f1_macro"
)


def test_a_picture_of_its_own_needs_nothing_beside_it() -> None:
    """It is one SVG with its colours, on a ground of its own that leaves an edge, the same each time."""
    made = standalone_svg(DRAWING)
    assert made == standalone_svg(DRAWING)
    root = ElementTree.fromstring(made)
    box = [int(number) for number in root.attrib["viewBox"].split()]
    before = [int(number) for number in ElementTree.fromstring(DRAWING.svg).attrib["viewBox"].split()]
    assert box[:2] == [-16, -16]
    assert box[2:] == [size + 32 for size in before[2:]]
    assert "--paper" in (root.findtext(f"{SVG}style") or "")
    assert not {f"{SVG}image", f"{SVG}script"} & {element.tag for element in root.iter()}


def test_its_address_is_the_picture_itself() -> None:
    """No request is made for it."""
    assert b64decode(as_data_uri(b"<svg/>").removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
