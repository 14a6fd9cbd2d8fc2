"""Why a port did not answer, told from what came out of it instead."""

from __future__ import annotations

_SHOWN = 48
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t\x1b")


def diagnose(heard: bytes) -> str:
    """Half a sentence: what the bytes that were no answer look like, and what to do.

    >>> diagnose(b"Zephyr OS build v3.7\\r\\n")
    "it says 'Zephyr OS build v3.7': another firmware runs there; load ours with `sq-micro flash`"
    """
    if not heard.strip(b"\0"):
        return (
            "it is silent: does the board run a bench firmware (`sq-micro flash` loads it),"
            " and is its UART the one that is connected?"
        )
    # A firmware of ours in between does not make a text of it: zeros end its frames.
    text = heard.replace(b"\0", b"")
    if len(text) >= 4 and sum(byte in _PRINTABLE for byte in text) >= 0.9 * len(text):
        lines = text.decode("ascii", "replace").strip().splitlines()
        shown = next(
            (line.strip() for line in reversed(lines) if len(line.strip()) > 3), text.decode("ascii", "replace")
        )
        return f"it says '{shown[:_SHOWN]}': another firmware runs there; load ours with `sq-micro flash`"
    return (
        "what comes is garbage: is the baud rate that of the firmware, the ground connected,"
        " and is it a bench firmware at all?"
    )
