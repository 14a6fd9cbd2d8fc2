"""Stands in for Renode: takes its arguments, reads its scripts, speaks as its console does, serves the UART.

What it prints was learnt from the output of Renode 1.16.1. The environment says how it is to misbehave:
SQM_STAND_IN (see `_MOODS`), SQM_STAND_IN_FIRMWARE (a program for the UART; without it the UART echoes) and
SQM_STAND_IN_VERSION.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from datetime import datetime
from pathlib import Path

_MOODS = (
    "",
    "slow",
    "hang",
    "freeze",
    "crash",
    "die",
    "bad_platform",
    "unmapped",
    "unmapped_later",
    "port_taken",
    "port_taken_once",
)
_ECHO = (sys.executable, "-c", "import os\nwhile chunk := os.read(0, 4096): os.write(1, chunk)")

mood = os.environ.get("SQM_STAND_IN", "")
assert mood in _MOODS, mood
children: list[subprocess.Popen[bytes]] = []


class RefusedError(Exception):
    """A command of the monitor failed; the text is what Renode prints."""


def log(text: str, level: str = "INFO") -> None:
    print(f"{datetime.now():%H:%M:%S}.{datetime.now().microsecond // 100:04d} [{level}] {text}", flush=True)


def path_of(word: str) -> Path:
    return Path(word.removeprefix("@").replace("\\ ", " "))


class Machine:
    """What the commands of a script act upon."""

    def __init__(self) -> None:
        self.uart: int | socket.socket | None = None
        self.registers: dict[str, str] = {}

    def execute(self, command: str) -> None:
        words = re.findall(r'"[^"]*"|(?:\\ |\S)+', command)
        match words:
            case ["using", "sysbus"] | ["connector", "Connect", "sysbus.uart", "term"]:
                pass
            case ["emulation", "SetGlobalAdvanceImmediately", "true"]:
                pass
            case ["mach", "create", _]:
                log("System bus created.")
            case ["machine", "LoadPlatformDescription", path]:
                self._platform(path_of(path))
            case ["emulation", "CreateUartPtyTerminal", _, path, "true"]:
                self._pty(Path(path.strip('"')))
            case ["emulation", "CreateServerSocketTerminal", port, _, "false"]:
                self._socket(int(port))
            case ["sysbus", "WriteDoubleWord", address, value]:
                self.registers[address] = value
            case ["sysbus", "LoadELF", path]:
                if not path_of(path).is_file():
                    print("\nThe following methods are available:\n - Void LoadELF (ReadFilePath fileName)\n")
                    raise RefusedError("Parameters did not match the signature")
                log("sysbus: Loading block of 1892 bytes length at 0x8000000.")
            case ["echo", text]:
                print(text.strip('"'), flush=True)
            case ["start"]:
                self._start()
            case _:
                raise RefusedError(f"No such command or device: {words[0]}")

    def _platform(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert "ApplySVD" not in text, "that would reach for the network"
        if mood == "bad_platform":
            raise RefusedError("Error E04: Could not resolve type: 'UART.Nope'.\nAt 1:1:")

    def _pty(self, link: Path) -> None:
        self.uart, host_end = os.openpty()
        tty.setraw(host_end)
        link.symlink_to(os.ttyname(host_end))

    def _socket(self, port: int) -> None:
        taken = mood == "port_taken"
        if mood == "port_taken_once":
            flag = Path(os.environ["SQM_STAND_IN_FLAG"])
            taken = not flag.exists()
            flag.touch()
        if taken:
            raise RefusedError(f"Unable to create '0.0.0.0:{port}' socket:[AddressAlreadyInUse]")
        self.uart = socket.create_server(("127.0.0.1", port))

    def _start(self) -> None:
        log("cpu: Guessing VectorTableOffset value to be 0x8000000.")
        log("dut: Machine started.")
        if mood == "unmapped":
            stray_access()
        if mood == "unmapped_later":
            threading.Timer(0.3, stray_access).start()
        if mood == "crash":
            threading.Timer(0.3, crash).start()
        firmware = os.environ.get("SQM_STAND_IN_FIRMWARE")
        command = (firmware,) if firmware else _ECHO

        def serve() -> None:
            assert isinstance(self.uart, socket.socket)
            connection, _ = self.uart.accept()
            children.append(subprocess.Popen(command, stdin=connection, stdout=connection))

        if isinstance(self.uart, socket.socket):
            threading.Thread(target=serve, daemon=True).start()
        else:
            children.append(subprocess.Popen(command, stdin=self.uart, stdout=self.uart))


def stray_access() -> None:
    log("sysbus: [cpu: 0x80001D6] ReadDoubleWord from non existing peripheral at 0x50000000.", "WARNING")


def crash() -> None:
    print("Fatal error: System.NullReferenceException: Object reference not set to an instance", flush=True)
    leave(134)


def leave(code: int) -> None:
    for child in children:
        child.kill()
    sys.stdout.flush()
    os._exit(code)


def include(script: Path, machine: Machine) -> None:
    log(f"Including script(s): {script}")
    for command in script.read_text(encoding="utf-8").splitlines():
        try:
            if command.strip():
                machine.execute(command)
        except RefusedError as error:
            print(f"There was an error executing command '{command}'\n{error}", flush=True)
            return


def main() -> None:
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        version = os.environ.get("SQM_STAND_IN_VERSION", "Renode v1.16.1.11938")
        print(f"{version}\n  build: -202611230637\n  build type: Release\n  runtime: Mono 4.0.30319.42000")
        return
    assert arguments[:4] == ["--disable-xwt", "--plain", "--console", "--config"], arguments
    assert "history-path" in Path(arguments[4]).read_text(encoding="utf-8")
    assert arguments[5] == "-e"
    assert not Path(os.environ["TMPDIR"]).name.startswith("renode-")
    if mood == "die":
        print("Cannot open assembly 'Renode.exe': No such file or directory.", flush=True)
        sys.exit(2)
    log("Loaded monitor commands from: /opt/renode/scripts/monitor.py")
    print(f"Renode, version 1.16.1 (-202611230637)\n\n\r(monitor) {arguments[6]}", flush=True)
    if mood == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    if mood == "slow":
        time.sleep(1.0)
    machine = Machine()
    include(path_of(arguments[6].removeprefix("include ")), machine)
    print("\r(machine-0) ", end="", flush=True)
    if mood == "freeze":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    for line in sys.stdin:
        if line.strip() == "quit":
            print("Renode is quitting", flush=True)
            break
    log("dut: Disposed.")
    leave(0)


if __name__ == "__main__":
    main()
