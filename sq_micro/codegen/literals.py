"""C literals and identifiers."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_RESERVED = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while".split()
)
_PER_LINE = {1: 16, 4: 8}


def identifier(name: str) -> str:
    """A name as a C identifier, lower case.

    >>> identifier("ResNet-8 v2"), identifier("8bit"), identifier("int")
    ('resnet_8_v2', 'm_8bit', 'm_int')
    """
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "model"
    return f"m_{word}" if word[0].isdigit() or word in _RESERVED else word


def comment(text: str) -> str:
    """Text that is safe inside a C block comment.

    >>> comment("a*/b")
    'a* /b'
    """
    return text.replace("*/", "* /").replace("/*", "/ *").encode("ascii", "backslashreplace").decode()


def string(text: str) -> str:
    """A C string literal.

    >>> string('say "hi"')
    '"say \\\\"hi\\\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii", "backslashreplace").decode()
    return f'"{escaped}"'


def integer_lines(values: NDArray[np.integer]) -> tuple[str, ...]:
    """The elements of an array initialiser, in lines: bytes in hexadecimal, wider integers in decimal.

    >>> integer_lines(np.array([1, 255], np.uint8)), integer_lines(np.array([-5], np.int32))
    (('0x01, 0xff,',), ('-5,',))
    """
    flat = values.reshape(-1)
    if flat.dtype == np.uint8:
        words = [f"0x{value:02x}" for value in flat.tolist()]
    else:
        # INT32_MIN has no literal of its own type in C.
        words = ["INT32_MIN" if value == -(1 << 31) else str(value) for value in flat.tolist()]
    step = _PER_LINE.get(flat.dtype.itemsize, 8)
    return tuple(", ".join(words[start : start + step]) + "," for start in range(0, len(words), step))
