#!/usr/bin/env python3
"""Sample radiographs in which no patient can be found: averages of many registered ones.

    python3 make_examples.py --data DIR [--out DIR]

DIR holds the RSNA bone-age training images as `images/<id>.jpg` (299 x 299) and their
`boneage-training-dataset.csv`. Needs numpy, Pillow and OpenCV. The method stands in README.md beside
this file; its numbers are what this script prints.
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SOURCES = 32  # images in an average: each weighs 1/32
SHORTLIST = 120  # candidates that go through the elastic registration
SIZE = (600, 800)  # of the result: the usual aspect of the originals, 0.74, rounded
WORK = (300, 400)  # of the registration
EXAMPLES = [
    # name, male, months
    ("girl-10-years", False, 120),
    ("boy-13-years", True, 156),
]


def held_out(image_id):
    """The project's 20 % holdout, which nothing may be made from."""
    digest = hashlib.sha256(f"boneage-holdout-1:{image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < 20


def candidates(data, male, months):
    with open(data / "boneage-training-dataset.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [r for r in rows if (r["male"] == "True") == male and int(r["boneage"]) == months]
    return sorted(int(r["id"]) for r in chosen if not held_out(int(r["id"])))


def load(data, image_id):
    """Grey 0..1, windowed by the percentiles of the middle of the frame."""
    grey = np.asarray(Image.open(data / "images" / f"{image_id}.jpg").convert("L"), np.float32)
    cut = int(0.2 * grey.shape[0])
    low, high = np.percentile(grey[cut:-cut, cut:-cut], [10, 97])
    grey = np.clip((grey - low) / max(1.25 * (high - low), 1), 0, 1)
    return cv2.resize(grey, WORK, interpolation=cv2.INTER_LINEAR)


def blur(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma)


def local(image, sigma=10.0):
    """Contrast relative to the surroundings: bones, whatever the exposure."""
    centred = image - blur(image, sigma)
    return centred / (np.sqrt(blur(centred * centred, sigma)) + 0.02)


def byte(image, low, high):
    return np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def correlation(a, b, weight):
    a = a - np.average(a, weights=weight)
    b = b - np.average(b, weights=weight)
    return float((weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum()))


def grid():
    x, y = np.meshgrid(np.arange(WORK[0], dtype=np.float32), np.arange(WORK[1], dtype=np.float32))
    return np.dstack([x, y])


def affine_points(matrix):
    return (grid().reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]).reshape(WORK[1], WORK[0], 2)


def sample(image, points):
    """`image` at `points`; outside is ground."""
    points = points.astype(np.float32)
    return cv2.remap(image, points[..., 0], points[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)


def register_affine(template, image, start, sigma):
    """The affine map template -> image that maximises their correlation (Evangelidis and Psarakis 2008)."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-4)
    try:
        score, matrix = cv2.findTransformECC(
            blur(template, sigma), blur(image, sigma), start.copy(), cv2.MOTION_AFFINE, stop, None, 1
        )
        return score, matrix
    except cv2.error:  # did not converge: this candidate drops out
        return -1.0, start


def compose(points, flow):
    """First `flow` (displacements in the template), then `points`."""
    at = grid() + flow
    moved = [cv2.remap(points[..., k].astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE) for k in (0, 1)]
    return np.dstack(moved)


def hand_weight(template):
    """About 1 inside the hand and 0 outside. Half of Otsu's threshold keeps the thin finger tips."""
    smooth = byte(blur(template, 2), 0, 1)
    otsu, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((smooth > otsu / 2).astype(np.uint8))
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if count > 1 else 0
    hand = cv2.dilate((labels == largest).astype(np.uint8), np.ones((13, 13), np.uint8))
    return blur(hand.astype(np.float32), 4)


def average(data, male, months):
    ids = candidates(data, male, months)
    images = {i: load(data, i) for i in ids}
    # 1. Affine, coarse to fine, each round to the mean of the better half.
    maps = {i: np.float32([[1, 0, 0], [0, 1, 0]]) for i in ids}
    template = np.mean(list(images.values()), axis=0)
    for sigma in (8.0, 5.0, 3.0, 2.0):
        scores = {}
        for i in ids:
            scores[i], maps[i] = register_affine(template, images[i], maps[i], sigma)
        better = sorted(ids, key=lambda i: -scores[i])[: max(SHORTLIST, len(ids) // 2)]
        template = np.mean([sample(images[i], affine_points(maps[i])) for i in better], axis=0)
    short = better[:SHORTLIST]
    print(f"  {len(ids)} candidates; affine correlation of the {SHORTLIST} best from {scores[short[-1]]:.3f} to {scores[short[0]]:.3f}")

    # 2. Elastic: dense optical flow (Kroeger 2016) on local contrast, smoothed ever less, about the mean shape.
    flow_of = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    points = {i: affine_points(maps[i]) for i in short}
    best = short
    for sigma in (24.0, 16.0, 12.0, 9.0, 7.0, 6.0):
        weight = hand_weight(template)
        sight = byte(local(template), -2, 3)
        for i in short:
            seen = byte(local(sample(images[i], points[i])), -2, 3)
            flow = flow_of.calc(sight, seen, None) * weight[..., None]
            points[i] = compose(points[i], np.dstack([blur(flow[..., k], sigma) for k in (0, 1)]))
        warped = {i: sample(images[i], points[i]) for i in short}
        fit = {i: correlation(local(warped[i]), local(template), weight) for i in short}
        best = sorted(short, key=lambda i: -fit[i])[: 2 * SOURCES]
        template = np.mean([warped[i] for i in best], axis=0)
        print(f"  elastic, smoothed by {sigma:4.1f} px: local correlation of the {2 * SOURCES} best {np.mean([fit[i] for i in best]):.3f}")
    chosen, others = best[:SOURCES], best[SOURCES:]

    # 3. The average, each source once, and the check that none stands out.
    weight = hand_weight(template)
    stack = np.stack([warped[i] for i in chosen])
    check = leave_one_out(stack, [warped[i] for i in others], weight)
    return render(data, chosen, points, weight), chosen, check


def leave_one_out(stack, others, weight):
    """How much nearer each source is to the average than to the average without it."""
    total = stack.mean(axis=0)
    report = {}
    for name, view in (("grey", lambda image: image), ("local contrast", local)):
        inside, without = [], []
        for k, source in enumerate(stack):
            rest = (total * len(stack) - source) / (len(stack) - 1)
            inside.append(correlation(view(source), view(total), weight))
            without.append(correlation(view(source), view(rest), weight))
        gain = np.subtract(inside, without)
        strangers = [correlation(view(other), view(total), weight) for other in others]
        report[name] = {
            "with": [round(float(np.mean(inside)), 4), round(float(np.max(inside)), 4)],
            "without": [round(float(np.mean(without)), 4), round(float(np.max(without)), 4)],
            "gain": [round(float(np.mean(gain)), 4), round(float(np.max(gain)), 4)],
            "strangers": [round(float(np.mean(strangers)), 4), round(float(np.max(strangers)), 4)],
        }
    return report


def render(data, chosen, points, weight):
    """The average at full size, black and white set by its own percentiles, the ground faded to even grey."""
    def enlarge(plane):
        return cv2.resize(plane.astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)

    total = np.zeros((SIZE[1], SIZE[0]), np.float64)
    for i in chosen:
        where = np.dstack([enlarge(points[i][..., k]) for k in (0, 1)])
        total += sample(load(data, i), where)
    total /= len(chosen)
    fade = np.clip(enlarge(weight), 0, 1)
    ground = np.median(total[fade < 0.05])
    total = ground + (total - ground) * fade  # lead letters lie out there
    low, high = ground, np.percentile(total, 99.7)
    return np.clip(12 + (total - low) / (high - low) * 225, 0, 255).round().astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # the same sums on every machine
    for name, male, months in EXAMPLES:
        print(name)
        image, chosen, check = average(arguments.data, male, months)
        Image.fromarray(image).save(arguments.out / f"{name}.png", optimize=True)
        print(f"  sources: {' '.join(map(str, sorted(chosen)))}")
        for view, numbers in check.items():
            print(f"  {view}: {json.dumps(numbers)}")


if __name__ == "__main__":
    main()
