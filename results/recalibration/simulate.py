"""Which map from readings to a site's ages is worth fitting to 50 to 200 cases?

The readings of the holdout stand for a site's: its own readers are imitated by labels that differ from the
data set's by an offset and a slope of each sex, or by an offset of the older children alone. Of these readings
some are drawn as the cases to fit to, all others tell how good the fit is. Prints a Markdown table.

    python3 results/recalibration/simulate.py results/attention-sex-352-block5/predictions.csv
"""

import csv
import sys

import numpy as np

TRIALS = 300
CENTRE = 120.0


def shift(x, y):
    offset = np.mean(y - x)
    return lambda z: z + offset


def line(x, y):
    slope, offset = np.polyfit(x - CENTRE, y - x, 1)
    return lambda z: z + offset + slope * (z - CENTRE)


def shrunk_line(x, y, offset_sd=8.0, slope_sd=0.1, error_sd=11.0):
    """The most likely offset and slope where both are normal about zero: ridge regression."""
    design = np.stack([np.ones_like(x), x - CENTRE], axis=1)
    prior = np.diag([(error_sd / offset_sd) ** 2, (error_sd / slope_sd) ** 2])
    offset, slope = np.linalg.solve(design.T @ design + prior, design.T @ (y - x))
    return lambda z: z + offset + slope * (z - CENTRE)


def isotonic(x, y):
    order = np.argsort(x, kind="stable")
    blocks = []
    for at, value in zip(x[order], y[order]):
        blocks.append([value, 1, [at]])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, count, places = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + value * count) / (before[1] + count)
            before[1] += count
            before[2] += places
    places = np.concatenate([block[2] for block in blocks])
    values = np.concatenate([np.full(block[1], block[0]) for block in blocks])
    return lambda z: np.interp(z, places, values)


METHODS = {
    "as read": lambda x, y: lambda z: z,
    "shift": shift,
    "line": line,
    "shrunk line": shrunk_line,
    "isotonic": isotonic,
}


def local_labels(kind, truth, sex, random):
    if kind == "as the data set":
        return truth
    if kind == "older only":
        return truth + 10.0 * (truth > 150)
    changed = truth.copy()
    for one in (0, 1):
        offset, slope = random.normal(0, 6), random.normal(0, 0.05)
        changed[sex == one] += offset + slope * (truth[sex == one] - CENTRE)
    return changed


def main():
    with open(sys.argv[1], newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "holdout"]
    read = np.array([float(row["predicted"]) for row in rows])
    truth = np.array([float(row["truth"]) for row in rows])
    sex = np.array([row["sex"] == "male" for row in rows], dtype=int)
    print("| the site's readers | cases | " + " | ".join(METHODS) + " |")
    print("|---" * (2 + len(METHODS)) + "|")
    for kind in ("as the data set", "offset and slope", "older only"):
        for cases in (50, 100, 200):
            random = np.random.default_rng(1)
            scores = {name: [] for name in METHODS}
            for _ in range(TRIALS):
                labels = local_labels(kind, truth, sex, random)
                order = random.permutation(len(rows))
                fitted, others = order[:cases], order[cases:]
                for name, method in METHODS.items():
                    error = np.empty(len(others))
                    for one in (0, 1):
                        own = fitted[sex[fitted] == one]
                        rest = sex[others] == one
                        curve = method(read[own], labels[own])
                        error[rest] = curve(read[others][rest]) - labels[others][rest]
                    bias = np.mean([abs(error[sex[others] == one].mean()) for one in (0, 1)])
                    scores[name].append((np.abs(error).mean(), bias))
            cells = [f"{mae:.2f}, {bias:.2f}" for mae, bias in (np.mean(s, axis=0) for s in scores.values())]
            print(f"| {kind} | {cases} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
