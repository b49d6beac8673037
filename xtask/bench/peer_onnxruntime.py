"""ONNX Runtime as a contestant: VGG16 forward."""

import onnxruntime
from protocol import serve
from vgg16 import THREADS, images
from vgg16_onnx import channels_last, model


def prepare(words):
    kind, *sizes = words
    if kind != "forward":
        raise ValueError(f"{' '.join(words)} is not done here")
    batch, side = map(int, sizes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model(batch, side), options, ["CPUExecutionProvider"])
    x = images(batch, side)

    def run():
        return session.run(["y"], {"x": x})[0]

    return run, lambda: channels_last(run())


if __name__ == "__main__":
    serve(f"ONNX Runtime {onnxruntime.__version__}", prepare)
