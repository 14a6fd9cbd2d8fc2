"""C literals and identifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_RESERVED = frozenset(
    (
        *("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern"),
        *("float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed"),
        *("sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while"),
    )
)
_BINDING = "binding"  # `sqm_binding.h` is how the bench firmware finds the model
_PER_LINE = {1: 16, 4: 8}
_LINE_WIDTH = 100  # as in .clang-format


def identifier(name: str) -> str:
    """A name as a C identifier, lower case.

    >>> identifier("ResNet-8 v2"), identifier("8bit"), identifier("int")
    ('resnet_8_v2', 'm_8bit', 'm_int')
    """
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "model"
    return f"m_{word}" if word[0].isdigit() or word in _RESERVED or word == _BINDING else word


def comment(text: str) -> str:
    """Text that is safe inside a C block comment, and on one line of any other file.

    >>> comment("a*/b"), comment("two\\nlines")
    ('a* /b', 'two lines')
    """
    one_line = " ".join(text.split())
    return one_line.replace("*/", "* /").replace("/*", "/ *").encode("ascii", "backslashreplace").decode()


def string(text: str) -> str:
    """A C string literal in UTF-8. Escapes are octal: unlike hexadecimal ones they end after three digits.

    >>> print(string('say "hi"'), string("é1"))
    "say \\042hi\\042" "\\303\\2511"
    """
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\\\?' else f"\\{byte:03o}" for byte in text.encode())
    return f'"{"".join(plain)}"'


def call_statement(function: str, arguments: Sequence[str], depth: int = 1) -> str:
    """A call in a function's body, or `depth` blocks deep, broken between arguments where the line ends.

    >>> print(call_statement("f", ["a" * 45, "b" * 45, "c"]))
        f(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
          c);
    """
    start = "    " * depth + f"{function}("
    lines = [start + arguments[0]]
    for argument in arguments[1:]:
        # One column is for the comma or the `);` that follows.
        ending = 2 if argument is arguments[-1] else 1
        if len(lines[-1]) + len(", ") + len(argument) + ending <= _LINE_WIDTH:
            lines[-1] += f", {argument}"
        else:
            lines[-1] += ","
            lines.append(" " * len(start) + argument)
    return "\n".join(lines) + ");"


def integer_lines(values: NDArray[np.integer]) -> tuple[str, ...]:
    """The elements of an array initialiser, in lines: unsigned ones in hexadecimal, others in decimal.

    >>> integer_lines(np.array([1, 255], np.uint8)), integer_lines(np.array([-5], np.int32))
    (('0x01, 0xff,',), ('-5,',))
    """
    flat = values.reshape(-1)
    if flat.dtype == np.uint8:
        words = [f"0x{value:02x}" for value in flat.tolist()]
    elif flat.dtype == np.uint32:
        words = [f"0x{value:08x}" for value in flat.tolist()]
    else:
        # INT32_MIN has no literal of its own type in C.
        words = ["INT32_MIN" if value == -(1 << 31) else str(value) for value in flat.tolist()]
    step = _PER_LINE.get(flat.dtype.itemsize, 8)
    return tuple(", ".join(words[start : start + step]) + "," for start in range(0, len(words), step))
