"""The C codec and the Python codec against the same files; neither made them.

A .hex file has a comment, `payload` (sequence, id, body) and `wire` (with the CRC, in COBS, the delimiter included).
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sq_micro.errors import FrameError
from sq_micro.measure.frame import DELIMITER, Frame, cobs_encode, decode_frame, encode_frame
from sq_micro.paths import project_files
from tests.unit.measure.fake_firmware import missing

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.hex"))
Codec = Callable[[str, bytes], bytes | None]

pytestmark = pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")


@pytest.fixture(scope="module")
def c_codec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Codec]:
    """The firmware's codec under the sanitizers: (mode, bytes) → bytes, None where it finds damage."""
    program = tmp_path_factory.mktemp("codec") / "codec"
    firmware = project_files() / "firmware"
    sources = [str(firmware / "protocol" / name) for name in ("cobs.c", "crc32.c", "frame.c")]
    command = ["gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    command += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{firmware}"]
    subprocess.run([*command, str(FOLDER / "codec.c"), *sources, "-o", str(program)], check=True)
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def codec(mode: str, data: bytes) -> bytes | None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{mode}{data.hex()}\n")
        process.stdin.flush()
        line = process.stdout.readline().strip()
        assert process.poll() is None
        return None if line == "damaged" else bytes.fromhex(line)

    yield codec
    process.communicate()
    assert process.returncode == 0


def read(file: Path) -> tuple[bytes, bytes]:
    text = file.read_text(encoding="utf-8").split("\n", 1)[1]
    payload, wire = text.removeprefix("payload\n").split("wire\n")
    return bytes.fromhex(payload), bytes.fromhex(wire)


def frame_of(payload: bytes) -> Frame:
    return Frame(payload[0], payload[1], payload[2:])


def test_the_golden_frames_are_there() -> None:
    assert len(FILES) == 11


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_python_produces_and_accepts_the_golden_frames(file: Path) -> None:
    payload, wire = read(file)
    assert encode_frame(frame_of(payload)) == wire
    assert decode_frame(wire.removesuffix(DELIMITER)) == frame_of(payload)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_c_produces_and_accepts_the_golden_frames(file: Path, c_codec: Codec) -> None:
    payload, wire = read(file)
    assert c_codec("e", payload) == wire
    assert c_codec("d", wire.removesuffix(DELIMITER)) == payload


def test_c_and_python_encode_alike(c_codec: Codec) -> None:
    source = random.Random(5)
    for _ in range(300):
        # Few zeros, so that blocks reach their full length.
        body = bytes(max(0, source.randrange(-1, 256)) for _ in range(source.randrange(251)))
        payload = bytes((source.randrange(256), source.randrange(256))) + body
        wire = encode_frame(frame_of(payload))
        assert c_codec("e", payload) == wire
        assert c_codec("d", wire[:-1]) == payload


@pytest.mark.parametrize("length", [0, 1, 253, 254, 255, 508, 509, 700])
@pytest.mark.parametrize("last", [b"", b"\0", b"\0\0"])
def test_c_and_python_stuff_alike_where_blocks_end(length: int, last: bytes, c_codec: Codec) -> None:
    data = b"\x11" * length + last
    assert c_codec("c", data) == cobs_encode(data)


def test_c_and_python_refuse_the_same_garbage(c_codec: Codec) -> None:
    source = random.Random(6)
    wires = [source.randbytes(source.randrange(259)) for _ in range(200)]
    for file in FILES:
        wire = bytearray(read(file)[1][:-1])
        wire[source.randrange(len(wire))] ^= 1 << source.randrange(8)
        wires += [bytes(wire), bytes(wire[:-1]), read(file)[1][:-2], bytes(reversed(read(file)[1]))]
    for wire in wires:
        with pytest.raises(FrameError):
            decode_frame(wire)
        assert c_codec("d", wire) is None
