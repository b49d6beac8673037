"""The steps of the hand extraction in scikit-image and SciPy, as the paper's authors would have run them.

    python3 peer_scikit_image.py [--processes N]

Images are the PNG files of a folder in the order of their names, `NAME-LOW-HIGH.png`; LOW and HIGH are the
thresholds of the markers. They are float32, which is faster here than uint8 or float64 and gives the same
gradient as our side to the last bit.
"""

import argparse
import multiprocessing
from pathlib import Path

import numpy as np
import scipy
import skimage
from PIL import Image
from protocol import serve
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed


def read(folder):
    for file in sorted(Path(folder).glob("*.png")):
        low, high = file.stem.split("-")[-2:]
        yield np.asarray(Image.open(file), np.float32), float(low), float(high)


def markers_of(image, low, high):
    markers = np.zeros(image.shape, np.int32)
    markers[image < low] = 1
    markers[image > high] = 2
    return markers


def largest_object(phantom):
    image, low, high = phantom
    labels = watershed(sobel(image), markers_of(image, low, high))
    filled = ndimage.binary_fill_holes(labels == 2)
    numbered, _ = ndimage.label(filled)
    areas = np.bincount(numbered.ravel())
    areas[0] = 0
    return numbered == areas.argmax() if areas.size > 1 else np.zeros_like(filled)


def each(function, items):
    def run():
        return [function(item) for item in items]

    return run, lambda: np.concatenate([np.asarray(one).ravel() for one in run()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=1)
    processes = parser.parse_args().processes
    pool = multiprocessing.Pool(processes) if processes > 1 else None

    def prepare(words):
        kind, folder = words
        phantoms = list(read(folder))
        if kind == "sobel":
            return each(sobel, [image for image, _, _ in phantoms])
        if kind == "watershed":
            return each(lambda pair: watershed(*pair), [(sobel(p[0]), markers_of(*p)) for p in phantoms])
        if kind in ("steps", "extract") or pool is None:
            return each(largest_object, phantoms)

        def run():
            return pool.map(largest_object, phantoms, chunksize=1)

        return run, lambda: np.concatenate([one.ravel() for one in run()])

    serve(f"scikit-image {skimage.__version__}, SciPy {scipy.__version__}", prepare)


if __name__ == "__main__":
    main()
