"""VGG16's feature stack as an ONNX model, for the peers that read one."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from vgg16 import convolutions


def model(batch, side):
    """Fixed shapes: an engine may plan for them. Input `x`, output `y`, both NCHW."""
    nodes, weights, at = [], [], "x"
    for i, (_, weight, bias, last) in enumerate(convolutions()):
        weights += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Conv", [at, f"w{i}", f"b{i}"], [f"c{i}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        at = f"r{i}"
        if last:
            nodes.append(helper.make_node("MaxPool", [at], [f"p{i}"], kernel_shape=[2, 2], strides=[2, 2]))
            at = f"p{i}"
    nodes[-1].output[0] = "y"
    small = side // 32
    graph = helper.make_graph(
        nodes,
        "vgg16",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 512, small, small])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    return made.SerializeToString()


def channels_last(y):
    return np.ascontiguousarray(y.transpose(0, 2, 3, 1))
