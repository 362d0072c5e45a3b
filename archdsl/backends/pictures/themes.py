"""Colors: a light and a dark theme, and one of greys for print; and the style sheet of each.

Text on every step of the ramp has a contrast of at least 4.5:1, lines of at least 4.5:1 to the ground, by the formula
of WCAG 2.2 (tests/pictures/test_themes.py).
"""

from __future__ import annotations

from typing import NamedTuple

STEPS = (0.01, 0.03, 0.10, 0.25)
"""Shares of the cost at which the next color begins."""
STEP_NAMES = ("< 1 %", "1 – 3", "3 – 10", "10 – 25", "> 25 %")


class Theme(NamedTuple):
    """Colors of a picture; `ramp` goes from cheap to expensive, `ramp_ink` is the text on each step."""

    ground: str
    panel: str
    panel_line: str
    ink: str
    muted: str
    line: str
    box_line: str
    ramp: tuple[str, ...]
    ramp_ink: tuple[str, ...]
    residual: str
    gate: str
    frame: str
    badge: str
    badge_ink: str
    glyph: tuple[str, str, str]
    glyph_line: str
    altered: str
    added: str
    removed: str
    altered_ink: str
    added_ink: str
    removed_ink: str
    gate_dash: str = ""


THEMES = {
    "light": Theme(
        ground="#ffffff",
        panel="#f6f7f9",
        panel_line="#d5d9e0",
        ink="#1a1f26",
        muted="#59616d",
        line="#4a525d",
        box_line="#5b6470",
        ramp=("#ffffff", "#fdebd0", "#fbc98b", "#f59a57", "#e8694a"),
        ramp_ink=("#1a1f26",) * 5,
        residual="#1f6fb2",
        gate="#7a3fa8",
        frame="#8a93a0",
        badge="#2b3440",
        badge_ink="#ffffff",
        glyph=("#dfe7f1", "#c3d2e6", "#a9bfdc"),
        glyph_line="#5f7fa8",
        altered="#fff1c9",
        added="#d9f0e0",
        removed="#f8dcdc",
        altered_ink="#8a5f00",
        added_ink="#1a7341",
        removed_ink="#b3312f",
    ),
    "dark": Theme(
        ground="#12161c",
        panel="#1a2028",
        panel_line="#323b48",
        ink="#e8ecf1",
        muted="#a3adba",
        line="#8f9aa8",
        box_line="#7d8896",
        ramp=("#222a34", "#453a31", "#6e4629", "#98501f", "#f28f4a"),
        ramp_ink=("#e8ecf1",) * 4 + ("#000000",),
        residual="#62b0f0",
        gate="#c792ea",
        frame="#6d7886",
        badge="#e8ecf1",
        badge_ink="#12161c",
        glyph=("#2a3b52", "#223146", "#1b283a"),
        glyph_line="#6f93c4",
        altered="#4a3e17",
        added="#1d4030",
        removed="#4d2527",
        altered_ink="#e6bd52",
        added_ink="#6fd09a",
        removed_ink="#f08a86",
    ),
    "print": Theme(
        ground="#ffffff",
        panel="#ffffff",
        panel_line="#9a9a9a",
        ink="#000000",
        muted="#4d4d4d",
        line="#222222",
        box_line="#222222",
        ramp=("#ffffff", "#ececec", "#d2d2d2", "#b4b4b4", "#929292"),
        ramp_ink=("#000000",) * 5,
        residual="#000000",
        gate="#000000",
        frame="#666666",
        badge="#000000",
        badge_ink="#ffffff",
        glyph=("#f2f2f2", "#dddddd", "#c8c8c8"),
        glyph_line="#444444",
        altered="#e4e4e4",
        added="#ffffff",
        removed="#c9c9c9",
        altered_ink="#000000",
        added_ink="#000000",
        removed_ink="#000000",
        gate_dash="3 1.2 .8 1.2",
    ),
}


def step_of(share: float) -> int:
    """Step of the ramp for a share of the cost."""
    return sum(share >= step for step in STEPS)


def contrast(one: str, other: str) -> float:
    """Contrast of two colors, from 1 to 21. WCAG 2.2, section 1.4.3."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of a color. WCAG 2.2, definition of relative luminance."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def style_sheet(theme: Theme) -> str:
    """CSS of a picture: one short class for each role."""
    fills = {f"f{step}": color for step, color in enumerate(theme.ramp)}
    fills |= {f"k{step}": color for step, color in enumerate(theme.ramp_ink)}
    fills |= {f"c{face}": color for face, color in enumerate(theme.glyph)}
    fills |= {"y": theme.muted, "w": theme.badge_ink, "bg": theme.badge, "al": theme.altered, "ad": theme.added}
    fills |= {"re": theme.removed, "ali": theme.altered_ink, "adi": theme.added_ink, "rei": theme.removed_ink}
    fills |= {"i": theme.ink, "v": theme.ground}
    strokes = {
        "l": (theme.line, 0.8, ""),
        "r": (theme.residual, 1.1, ""),
        "g": (theme.gate, 1.1, theme.gate_dash),
        "t": (theme.panel_line, 0.6, ""),
        "eq": (theme.frame, 0.6, "1 2"),
    }
    boxes: dict[str, tuple[str, str, float, str]] = {
        "bx": ("", theme.box_line, 0.7, ""),
        "in": ("none", theme.box_line, 0.4, ""),
        "fr": ("none", theme.frame, 0.8, "4 2"),
        "nf": ("none", theme.gate, 0.5, "1.2 1.6"),
        "pn": (theme.panel, theme.panel_line, 0.7, ""),
        "st": (theme.panel, theme.panel_line if theme.panel == theme.ground else "none", 0.5, ""),
        "cc": (theme.ground, theme.line, 1.0, ""),
        "gl": ("", theme.glyph_line, 0.5, ""),
        "o": (theme.ground, "", 0, ""),
    }
    rules = [f'text{{font-family:"Liberation Sans",Arial,Helvetica,sans-serif;fill:{theme.ink}}}']
    rules += [".b{font-weight:700}.m{text-anchor:middle}.e{text-anchor:end}", ".n{fill:none;stroke-linejoin:round}"]
    rules += [f".{name}{{{stroke(*parts)}}}" for name, parts in strokes.items()]
    for name, (fill, color, width, dash) in boxes.items():
        rules.append(f".{name}{{{f'fill:{fill};' if fill else ''}{stroke(color, width, dash) if color else ''}}}")
    rules += [f".{name}{{fill:{color}}}" for name, color in fills.items()]
    return "".join([*rules, ".d{stroke-dasharray:2.5 1.6}.o,.sg{stroke-dasharray:none}"])


def stroke(color: str, width: float, dash: str) -> str:
    """Declarations of a stroke."""
    return f"stroke:{color};stroke-width:{width:g}" + (f";stroke-dasharray:{dash}" if dash else "")
