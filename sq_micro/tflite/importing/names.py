"""Names for operators, which TFLite's do not have: what the converter left of the layers' names in those of tensors."""

from __future__ import annotations

from sq_micro.frontend.layer_names import sanitise

# What ends the name of a tensor that TensorFlow's own operation for a layer wrote.
_WEIGHTED = ("convolution", "Conv2D", "depthwise", "MatMul", "Tensordot")
_NAMELESS = ("StatefulPartitionedCall", "PartitionedCall", "arith.constant", "Identity", "tensor")


def operator_name(code: str, tensors: tuple[str, ...]) -> str:
    """A short name from those of the tensors that an operator reads or writes, the best of them first.

    >>> operator_name("CONV_2D", ("net_1/bn/add;net_1/conv2d_3/convolution;net_1/bn/sub",))
    'conv2d_3'
    >>> operator_name("ADD", ("net_1/activation_2/Relu;net_1/add_1/Add",)), operator_name("SOFTMAX", ("Identity:0",))
    ('add_1', 'softmax')
    """
    parts = [part.partition(":")[0].split("/") for tensor in tensors for part in tensor.split(";")]
    word = code.lower().replace("_2d", "2d").replace("fully_connected", "dense")
    ends = (*_WEIGHTED, "Add") if code == "ADD" else _WEIGHTED
    for scope in parts:
        if len(scope) > 1 and scope[-1] in ends:
            return _name(scope[-2], word)
    last = parts[0] if parts else [""]
    return _name(last[-2] if len(last) > 1 else last[0], word)


def _name(found: str, word: str) -> str:
    nameless = not found or found.startswith(_NAMELESS) or not found[0].isalpha()
    return word if nameless else sanitise(found)
