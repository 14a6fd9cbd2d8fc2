"""What Renode's console says: that it is ready, or why not. Its exit code says nothing: 0 for every failed script."""

from __future__ import annotations

import re

from sq_micro.measure.renode.script import SENTINEL

_REFUSED = re.compile(r"^There was an error executing command '(?P<command>.*)'\s*$", re.MULTILINE)
_FATAL = re.compile(r"^.*(?:Fatal error|CPU abort|Unhandled exception).*$", re.MULTILINE | re.IGNORECASE)
_UNMAPPED = re.compile(
    r"(?P<what>(?:Read|Write)\w*) (?:from|to) non existing peripheral at (?P<address>0x[0-9A-Fa-f]+)"
)
_SENTINEL = re.compile(rf"^\s*{SENTINEL}\s*$", re.MULTILINE)
_PROMPT = re.compile(r"^\r*\([\w-]+\) ", re.MULTILINE)
_PORT_TAKEN = ("AddressAlreadyInUse", "Address already in use")


def is_ready(text: str) -> bool:
    """The whole script up to the start of the machine has run."""
    return _SENTINEL.search(_PROMPT.sub("", text)) is not None


def is_port_taken(text: str) -> bool:
    """The port for the UART belongs to another program."""
    return any(words in text for words in _PORT_TAKEN)


def failure(text: str) -> str | None:
    """Why the script stopped, or why what runs in Renode can be trusted no more; None where neither is so."""
    text = _PROMPT.sub("", text).replace("\r", "")
    if refused := _REFUSED.search(text):
        after = (line.strip() for line in text[refused.end() :].splitlines())
        reason = next((line for line in after if line), "it did not say why")
        return f"Renode refuses '{refused['command']}': {reason}"
    if fatal := _FATAL.search(text):
        return f"Renode says: {fatal[0].strip()}"
    if unmapped := _UNMAPPED.search(text):
        # Renode answers 0 and goes on, where silicon would take a bus fault.
        return (
            f"the firmware reaches for {unmapped['address']} ({unmapped['what']}), where the board file has nothing;"
            " list the registers under [[renode.registers]], or look for a stray pointer"
        )
    return None
