"""Pictures that owners upload: what kind they really are and how large, read from their first bytes.

PNG, JPEG and WebP only. An SVG is a document that can hold scripts, and so no picture here.
"""

from dataclasses import dataclass
from struct import unpack

MOST_BYTES = 200 * 1024
MOST_PIXELS = 2000  # on a side
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


class PictureError(ValueError):
    """A file that cannot be used; `code` is ``kind``, ``bytes`` or ``pixels``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture whose bytes are what they say."""

    media_type: str
    content: bytes
    width: int
    height: int


def read(content: bytes) -> Picture:
    """The picture in a file, whatever its name says. Raises PictureError."""
    if len(content) > MOST_BYTES:
        raise PictureError("bytes")
    for media_type, size_of in _KINDS.items():
        size = size_of(content)
        if size is not None:
            width, height = size
            if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
                raise PictureError("pixels")
            return Picture(media_type, content, width, height)
    raise PictureError("kind")


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return None
    width, height = unpack(">II", content[16:24])
    return int(width), int(height)


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """From marker to marker until the one that tells the size."""
    if content[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while place + 9 < len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in _JPEG_SIZES:
            height, width = unpack(">HH", content[place + 5 : place + 9])
            return int(width), int(height)
        place += 2 if marker in _JPEG_BARE else 2 + int.from_bytes(content[place + 2 : place + 4])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    match content[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = unpack("<HH", content[26:30])
            return int(width) & 0x3FFF, int(height) & 0x3FFF
    return None


_KINDS = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
