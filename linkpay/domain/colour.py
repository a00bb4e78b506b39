"""A site's own colour: what of it can be read, by WCAG's measure of contrast.

An owner chooses one colour. Where it is too light or too dark to be read, as a link or as a button, the
nearest shade of it that can be is used: pages stay readable whatever she likes.
"""

import re
from dataclasses import dataclass

#: What text needs against its ground (WCAG 2.2, 1.4.3).
ENOUGH = 4.5
_HEX = re.compile(r"#[0-9a-f]{6}")
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
#: The grounds of the stylesheet that text in the accent stands on, the hardest of each look.
_LIGHT_GROUND, _DARK_GROUND = (246, 245, 241), (28, 31, 30)
_LIGHT_SURFACE, _DARK_SURFACE = (255, 255, 255), (28, 31, 30)
_STEPS = 50

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shades:
    """One look as ``#rrggbb``: the accent, stronger for hovering, the ink on it, a soft ground."""

    accent: str
    strong: str
    ink: str
    soft: str


@dataclass(frozen=True, slots=True)
class Accent:
    """A colour as it was chosen, what is used of it in both looks, and its contrast on white."""

    chosen: str
    light: Shades
    dark: Shades
    contrast: float

    @property
    def is_readable(self) -> bool:
        """Whether it can be used on light pages as it was chosen."""
        return self.light.accent == self.chosen


def parse(text: str) -> Rgb | None:
    """``#0b6b57`` as numbers; None for what is no colour."""
    found = text.strip().lower()
    if not _HEX.fullmatch(found):
        return None
    return int(found[1:3], 16), int(found[3:5], 16), int(found[5:7], 16)


def accent(text: str) -> Accent:
    """What pages use of a colour. Raises ValueError for what is no colour."""
    chosen = parse(text)
    if chosen is None:
        raise ValueError(f"{text!r} is no colour like #0b6b57")
    light = _until_readable(chosen, _LIGHT_GROUND, towards=_BLACK)
    dark = _until_readable(chosen, _DARK_GROUND, towards=_WHITE)
    return Accent(
        _text(chosen),
        Shades(_text(light), _text(_mixed(light, _BLACK, 0.2)), _ink(light), _soft(light, _LIGHT_SURFACE)),
        Shades(_text(dark), _text(_mixed(dark, _WHITE, 0.25)), _ink(dark), _soft(dark, _DARK_SURFACE)),
        contrast(chosen, _WHITE),
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """From 1 (the same) to 21 (black on white)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Rgb) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _until_readable(colour: Rgb, ground: Rgb, *, towards: Rgb) -> Rgb:
    """The first shade on the way that can be read on this ground and on its own soft one."""
    for step in range(_STEPS + 1):
        shade = _mixed(colour, towards, step / _STEPS)
        soft = _mixed(ground, shade, _SOFT)
        if min(contrast(shade, ground), contrast(shade, soft)) >= ENOUGH:
            return shade
    return towards


_SOFT = 0.12


def _soft(colour: Rgb, surface: Rgb) -> str:
    return _text(_mixed(surface, colour, _SOFT))


def _ink(colour: Rgb) -> str:
    """White or nearly black, whichever is read better on the colour."""
    nearly_black = (18, 20, 19)
    return _text(max((_WHITE, nearly_black), key=lambda ink: contrast(ink, colour)))


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    mixed = [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _text(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
