"""OpenVINO as a contestant: VGG16 forward.

    python3 peer_openvino.py [--precision f32|bf16]

Left to itself OpenVINO rounds to bf16 on processors that have it, which is no longer the same work.
"""

import argparse

import openvino
from openvino import properties
from protocol import serve
from vgg16 import THREADS, images
from vgg16_onnx import channels_last, model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    precision = parser.parse_args().precision
    core = openvino.Core()
    settings = {
        properties.inference_num_threads(): THREADS,
        properties.hint.performance_mode(): properties.hint.PerformanceMode.LATENCY,
        properties.hint.inference_precision(): getattr(openvino.Type, precision),
    }

    def prepare(words):
        kind, *sizes = words
        if kind != "forward":
            raise ValueError(f"{' '.join(words)} is not done here")
        batch, side = map(int, sizes)
        compiled = core.compile_model(core.read_model(model(batch, side)), "CPU", settings)
        used = compiled.get_property(properties.hint.inference_precision())
        if used.get_type_name() != precision:
            raise ValueError(f"asked for {precision}, got {used.get_type_name()}")
        request = compiled.create_infer_request()
        x = images(batch, side)

        def run():
            return request.infer({"x": x}, share_inputs=True, share_outputs=True)[0]

        return run, lambda: channels_last(run())

    serve(f"OpenVINO {openvino.__version__.split('-')[0]} {precision}", prepare)


if __name__ == "__main__":
    main()
