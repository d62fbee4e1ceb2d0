"""Charts in plain SVG, for docs/charts: bars of a work, and lines of how costs grow.

Readable on a light and on a dark page: no background, and colours of medium lightness that a dark
page brightens.
"""

import math
from dataclasses import dataclass, field
from html import escape

from measure import ROOT

FOLDER = ROOT / "docs" / "charts"
WIDTH = 640

STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #6e7781 }
    .title { font-weight: 600; font-size: 14px }
    .note { font-size: 11px }
    .troupe { fill: #0969da } .one { fill: #54aeff } .peer { fill: #8c959f }
    .whisker { stroke: #32383f; stroke-width: 1.2; fill: none }
    .axis { stroke: #8c959f; stroke-width: 0.6; fill: none }
    .line0 { stroke: #0969da; fill: #0969da } .line1 { stroke: #bc4c00; fill: #bc4c00 }
    .line2 { stroke: #1a7f37; fill: #1a7f37 } .line3 { stroke: #8250df; fill: #8250df }
    polyline { fill: none !important; stroke-width: 1.8 }
    @media (prefers-color-scheme: dark) {
      text { fill: #b1bac4 } .whisker { stroke: #e6edf3 } .troupe { fill: #4493f8 }
    }
"""


def short(value):
    """Three digits, with k or M where they help."""
    letter = ""
    for factor, name in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= factor:
            value, letter = value / factor, name
            break
    return (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}") + letter


@dataclass
class Picture:
    """Lines of SVG, from the top downwards."""

    title: str
    height: float = 8
    parts: list[str] = field(default_factory=list)

    def text(self, x, y, words, style="", anchor="start"):
        kind = f' class="{style}"' if style else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}"{kind} text-anchor="{anchor}">{escape(words)}</text>'
        )

    def line(self, style, *points):
        at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{style}" points="{at}"/>')

    def write(self, path):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:.0f}" '
            f'width="{WIDTH}" height="{self.height:.0f}" role="img">'
        )
        body = "\n".join(f"  {part}" for part in self.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        title = f"  <title>{escape(self.title)}</title>"
        path.write_text(f"{head}\n{title}\n  <style>{STYLE}  </style>\n{body}\n</svg>\n")


# ---- Bars: a work beside its peers -------------------------------------------------------------

LEFT, RIGHT = 120, WIDTH - 110  # of the bars; the figures stand to the right
BAR, GAP = 16, 6


def add_bars(picture, heading, bars):
    """`bars`: (peer, summary), drawn from zero, with a whisker from the least to the most."""
    picture.height += 14
    picture.text(8, picture.height, heading, "title")
    picture.height += 10
    scale = (RIGHT - LEFT) / max(summary.high for _, summary in bars)
    for peer, summary in bars:
        top, middle = picture.height, picture.height + BAR / 2
        kind = {"troupe": "troupe", "troupe/1": "one"}.get(peer, "peer")
        picture.text(LEFT - 8, middle + 4, peer, anchor="end")
        width = summary.median * scale
        picture.parts.append(
            f'<rect class="{kind}" x="{LEFT}" y="{top:.1f}" width="{width:.1f}" height="{BAR}" '
            'rx="2"/>'
        )
        low, high = LEFT + summary.low * scale, LEFT + summary.high * scale
        picture.line("whisker", (low, middle), (high, middle))
        for end in (low, high):
            picture.line("whisker", (end, middle - 4), (end, middle + 4))
        picture.text(RIGHT + 10, middle + 4, short(summary.median))
        picture.height += BAR + GAP
    picture.height += 10


def shown_metrics(work):
    """What the work is about, and what else a gate looks at."""
    return [work.metrics[0], *(metric for metric in work.metrics[1:] if metric.gates)]


def write_work(work, peers, summaries):
    """Draws the work, unless troupe is alone with it. Returns: whether it did."""
    panels = []
    for metric in shown_metrics(work):
        keys = [(metric.name, peer.name) for peer in peers]
        bars = [(key[1], summaries[key]) for key in keys if key in summaries]
        is_beside_troupe = len(bars) > 1 and bars[0][0] == "troupe"
        if is_beside_troupe and any(summary.high > 0 for _, summary in bars):
            panels.append((metric, bars))
    if not panels:
        return False
    picture = Picture(f"{work.name}: troupe beside its peers")
    for metric, bars in panels:
        is_more = metric.better == "higher"
        note = "more is better" if is_more else "less is better"
        add_bars(picture, f"{metric.name}, {metric.unit} ({note})", bars)
    picture.write(FOLDER / f"{work.name.replace('/', '-')}.svg")
    return True


def write_all(works, peers, summaries):
    return [work.name for work in works if write_work(work, peers, summaries)]


# ---- Lines: how costs grow ---------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    heading: str
    across: str
    lines: dict[str, list[tuple[float, float]]]  # name -> (size, value), by size


COLUMNS, PANEL_HEIGHT = 2, 226


def add_panel(picture, panel, left, top):
    """One diagram with a logarithmic axis of sizes, and values from zero."""
    width, plot_height = WIDTH / COLUMNS - 76, PANEL_HEIGHT - 104
    x0, y0 = left + 52, top + 40 + plot_height
    points = [point for line in panel.lines.values() for point in line]
    low, high = (bound(math.log10(size) for size, _ in points) for bound in (min, max))
    most = max(value for _, value in points) * 1.08 or 1
    picture.text(left + 8, top + 14, panel.heading, "title")

    def place(size, value):
        share = (math.log10(size) - low) / (high - low or 1)
        return x0 + share * width, y0 - value / most * plot_height

    for share in (0, 0.5, 1):
        y = y0 - share * plot_height
        picture.line("axis", (x0, y), (x0 + width, y))
        picture.text(x0 - 6, y + 4, short(most * share) if share else "0", "note", "end")
    ends = {round(low), round(high), round((low + high) / 2)}
    for power in sorted(ends):
        x = place(10**power, 0)[0]
        picture.text(x, y0 + 15, f"{short(10**power)}".replace(" ", ""), "note", "middle")
    for number, (name, line) in enumerate(panel.lines.items()):
        at = [place(*point) for point in line]
        picture.line(f"line{number % 4}", *at)
        for x, y in at:
            picture.parts.append(
                f'<circle class="line{number % 4}" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>'
            )
        x = left + 52 + number % 2 * (width / 2 + 8)
        y = y0 + 30 + number // 2 * 14
        picture.parts.append(
            f'<rect class="line{number % 4}" x="{x:.1f}" y="{y - 8:.1f}" width="9" height="9"/>'
        )
        picture.text(x + 14, y, name, "note")
    picture.text(x0 + width, top + 30, f"by {panel.across}", "note", "end")


def write_growth(panels):
    picture = Picture("What it costs to have more of everything")
    for number, panel in enumerate(panels):
        column, row = number % COLUMNS, number // COLUMNS
        add_panel(picture, panel, column * WIDTH / COLUMNS, 8 + row * PANEL_HEIGHT)
    picture.height = 16 + math.ceil(len(panels) / COLUMNS) * PANEL_HEIGHT
    picture.write(FOLDER / "growth.svg")
