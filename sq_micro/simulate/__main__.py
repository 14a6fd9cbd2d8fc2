"""The simulator child: `python -m sq_micro.simulate --elf FILE --board ID_OR_FILE`. It speaks `packets`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sq_micro.board import load_board
from sq_micro.errors import SqMicroError, ToolchainError
from sq_micro.simulate.host_stream import EndOfInputError, HostStream
from sq_micro.simulate.image import load_image

if TYPE_CHECKING:
    from sq_micro.simulate.machine import Machine


def main() -> int:
    """Run the firmware until the host closes the stream. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sq_micro.simulate", description="run firmware on a modelled core")
    parser.add_argument("--elf", type=Path, required=True, help="firmware image")
    parser.add_argument("--board", required=True, help="id of a board, or its file")
    arguments = parser.parse_args()

    machine: Machine | None = None

    def counters() -> bytes:
        if machine is None:
            raise AssertionError("the counters are asked for only while the machine runs")
        totals = machine.totals()
        reads = [[read.instructions, read.cycles] for read in machine.reads]
        return json.dumps({"instructions": totals.instructions, "cycles": totals.cycles, "reads": reads}).encode()

    # Nothing but packets may reach the host: whatever prints, prints to stderr.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Unbuffered: a thread that still waits in a buffered stream would make Python abort at its end.
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    host = HostStream(source, sink, counters)
    try:
        machine = _make_machine(arguments.elf, arguments.board, host)
        machine.run()
        host.serve_until_end()
    except EndOfInputError:
        return 0
    except KeyboardInterrupt:
        return 130
    except SqMicroError as error:
        host.fail(str(error))
        return error.exit_code
    finally:
        host.close()
    return 0


def _make_machine(elf: Path, board: str, host: HostStream) -> Machine:
    try:
        from sq_micro.simulate.machine import Machine
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "unicorn":
            raise
        raise ToolchainError("the simulator needs unicorn: pip install 'sq-micro[sim]'") from None
    python_hook, check_alignment = (
        os.environ.get(name) == "1" for name in ("SQ_MICRO_PYTHON_HOOK", "SQ_MICRO_CHECK_ALIGNMENT")
    )
    return Machine(load_image(elf), load_board(board), host, python_hook, check_alignment)


if __name__ == "__main__":
    sys.exit(main())
