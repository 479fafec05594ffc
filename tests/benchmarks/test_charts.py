"""Charts are well-formed, and as long as their values."""

from xml.etree.ElementTree import fromstring

from benchmarks.charts import Bar, bar_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_chart_has_a_bar_and_a_label_for_each_value() -> None:
    bars = [Bar(label="List & search", value=0.5, mark=0.7, is_missed=True), Bar(label="Detail", value=1.0)]
    chart = fromstring(bar_chart("Ratios <1", bars, unit=""))
    _, *drawn = chart.iter(f"{SVG}rect")
    assert [float(bar.attrib["width"]) for bar in drawn] == [180.0, 360.0]
    texts = [text.text for text in chart.iter(f"{SVG}text")]
    assert texts == ["Ratios <1", "List & search", "0.50", "Detail", "1.00"]
