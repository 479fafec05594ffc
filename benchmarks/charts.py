"""Bar charts as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_LABELS, _PLOT, _VALUES = 520, 360, 90  # widths
_BAR, _GAP, _TOP = 16, 12, 40
_COLOR, _MISSED_COLOR, _SECOND_COLOR = "#2563eb", "#c2410c", "#9ca3af"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A labelled bar, with a mark that its value should reach and a second value to compare it with."""

    label: str
    value: float
    mark: float | None = None
    second: float | None = None
    is_missed: bool = False


def bar_chart(title: str, bars: Sequence[Bar], *, unit: str, digits: int = 2) -> str:
    """Return an SVG image of horizontal bars, on a white ground so that it is legible on any page."""
    largest = max(max(bar.value, bar.mark or 0, bar.second or 0) for bar in bars)
    step = _BAR + _GAP
    width, height = _LABELS + _PLOT + _VALUES, _TOP + step * len(bars) + _GAP
    drawn = [_draw(bar, _TOP + number * step, _PLOT / largest, unit, digits) for number, bar in enumerate(bars)]
    style = 'font-family="sans-serif" font-size="13"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {style} role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
            *drawn,
            "</svg>\n",
        ]
    )


def _draw(bar: Bar, y: int, scale: float, unit: str, digits: int) -> str:
    color = _MISSED_COLOR if bar.is_missed else _COLOR
    middle = y + _BAR - 3
    length = bar.value * scale
    end = _LABELS + max(length, (bar.second or 0) * scale, (bar.mark or 0) * scale)
    parts = [f'<text x="{_LABELS - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>']
    if bar.second is not None:
        parts.append(_rectangle(y + _BAR - 4, bar.second * scale, 4, _SECOND_COLOR))
    parts.append(_rectangle(y, length, _BAR if bar.second is None else _BAR - 5, color))
    if bar.mark is not None:
        x = _LABELS + bar.mark * scale
        parts.append(
            f'<line x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + _BAR + 3}" stroke="#111827" stroke-width="2"/>'
        )
    parts.append(f'<text x="{end + 6:.1f}" y="{middle}">{bar.value:,.{digits}f}{escape(unit)}</text>')
    return "\n".join(parts)


def _rectangle(y: int, width: float, height: int, color: str) -> str:
    return f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{height}" fill="{color}"/>'
