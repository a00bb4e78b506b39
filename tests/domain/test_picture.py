"""A file is what its bytes say, and only pictures that hold nothing else are taken."""

from struct import pack

import pytest

from linkpay.domain import picture


def png(width: int = 3, height: int = 2, more: int = 0) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + b"IHDR"
    return head + pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0) + b"\0\0\0\0" + b"\0" * more


def jpeg(width: int, height: int) -> bytes:
    comment = b"\xff\xfe" + pack(">H", 6) + b"abcd"
    return b"\xff\xd8" + comment + b"\xff\xc2" + pack(">HBHH", 17, 8, height, width) + b"\0" * 12


def webp(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + pack("<I", 30) + b"WEBPVP8X" + pack("<I", 10) + b"\0\0\0\0" + sizes


@pytest.mark.parametrize(
    ("content", "kind"),
    [(png(40, 30), "image/png"), (jpeg(40, 30), "image/jpeg"), (webp(40, 30), "image/webp")],
)
def test_kind_and_size_are_read_from_the_bytes(content: bytes, kind: str) -> None:
    found = picture.read(content)
    assert (found.media_type, found.width, found.height) == (kind, 40, 30)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "kind"),
        (b"GIF89a" + b"\0" * 40, "kind"),
        (png()[:20], "kind"),
        (png(2001, 10), "pixels"),
        (png(0, 10), "pixels"),
        (png(more=picture.MOST_BYTES), "bytes"),
    ],
)
def test_what_cannot_be_used_says_why(content: bytes, why: str) -> None:
    with pytest.raises(picture.PictureError) as refused:
        picture.read(content)
    assert refused.value.code == why
