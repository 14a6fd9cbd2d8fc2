"""Hooks in C, called by the emulator without a detour through Python. Child process only.

Unicorn's Python package would put a Python function around every hook. Its C interface takes our native ones as they
are; the names used for that are private to the package. Where they, or a C compiler, are missing, ToolchainError,
OSError, AttributeError or ImportError is raised.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from unicorn import Uc, unicorn_const

from sq_micro.errors import ToolchainError
from sq_micro.simulate.counters import NativeCounter
from sq_micro.simulate.native_library import native_library

# Libraries must outlive the hooks in them.
_LOADED: dict[Path, ctypes.CDLL] = {}


def hook_blocks(unicorn: Uc) -> NativeCounter:
    """Count executed blocks from now on."""
    counter = NativeCounter()
    callback = _library("block_counts").sqm_count_block
    _install(unicorn, unicorn_const.UC_HOOK_BLOCK, callback, counter.table)
    return counter


class _Misaligned(ctypes.Structure):
    """`sqm_misaligned` of native/alignment.c."""

    _fields_ = (("address", ctypes.c_uint64), ("bytes", ctypes.c_uint64), ("stop", ctypes.c_void_p))


class AlignmentHook:
    """Stops the emulator at the first access that is not aligned to its size."""

    def __init__(self, unicorn: Uc) -> None:
        from unicorn.unicorn_py3.unicorn import uclib

        self._found = _Misaligned(0, 0, ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value)
        kinds = unicorn_const.UC_HOOK_MEM_READ | unicorn_const.UC_HOOK_MEM_WRITE
        _install(unicorn, kinds, _library("alignment").sqm_check_alignment, self._found)

    @property
    def found(self) -> tuple[int, int] | None:
        """(address, bytes) of that access; None while there was none."""
        return (self._found.address, self._found.bytes) if self._found.bytes else None


def _library(name: str) -> ctypes.CDLL:
    path = native_library(name)
    if path not in _LOADED:
        _LOADED[path] = ctypes.CDLL(str(path))
    return _LOADED[path]


def _install(unicorn: Uc, kinds: int, callback: object, data: ctypes.Structure) -> None:
    from unicorn.unicorn_py3.unicorn import uclib

    handle = ctypes.c_size_t()
    status = uclib.uc_hook_add(
        unicorn._uch,
        ctypes.byref(handle),
        kinds,
        ctypes.cast(callback, ctypes.c_void_p),  # type: ignore[arg-type]
        ctypes.cast(ctypes.byref(data), ctypes.c_void_p),
        ctypes.c_uint64(1),  # begin > end: everywhere
        ctypes.c_uint64(0),
    )
    if status != unicorn_const.UC_ERR_OK:
        raise ToolchainError(f"Unicorn refuses the native hook (error {status})")
