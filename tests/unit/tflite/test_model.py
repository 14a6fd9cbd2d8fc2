from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sq_micro.errors import ToolchainError
from sq_micro.tflite import model as module
from sq_micro.tflite.model import Model, Operation, Quantization, Tensor, serialize

tflite: Any = pytest.importorskip("tflite")
CODES = Quantization((0.5,), (-3,))


def tiny() -> Model:
    tensors = {
        "x": Tensor("x", (1, 4), CODES),
        "shape": Tensor("shape", (2,), None, np.array([2, 2], np.int32)),
        "y": Tensor("y", (2, 2), CODES),
    }
    return Model("tiny", "x", "y", tensors, [Operation("RESHAPE", ("x", "shape"), "y")])


def test_a_model_reads_back() -> None:
    root = tflite.Model.GetRootAsModel(serialize(tiny()), 0)
    subgraph = root.Subgraphs(0)
    names = [subgraph.Tensors(i).Name().decode() for i in range(subgraph.TensorsLength())]
    assert names == ["x", "shape", "y"]
    assert root.OperatorCodes(0).BuiltinCode() == tflite.BuiltinOperator.RESHAPE
    assert subgraph.Operators(0).InputsAsNumpy().tolist() == [0, 1]
    assert subgraph.Tensors(0).Quantization().ZeroPointAsNumpy().tolist() == [-3]
    assert root.Buffers(1).DataAsNumpy().view(np.int32).tolist() == [2, 2]
    assert root.Buffers(0).DataLength() == 0


def test_bytes_depend_on_the_model_alone_and_carry_the_identifier() -> None:
    assert serialize(tiny()) == serialize(tiny())
    assert serialize(tiny())[4:8] == b"TFL3"


def test_constants_are_aligned_to_16_bytes() -> None:
    model = tiny()
    constant = np.array([1234567, 7654321, 42], np.int32)
    model.tensors["shape"] = Tensor("shape", (3,), None, constant)
    assert serialize(model).index(constant.tobytes()) % 16 == 0


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", missing)
    with pytest.raises(ToolchainError, match="pip install tflite"):
        serialize(tiny())
