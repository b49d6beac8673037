"""The paper's regressions in scikit-learn, on the arrays that our side wrote.

    python3 peer_scikit_learn.py [--svd SOLVER] [--solver SOLVER] [--jobs N]

Arrays are little-endian float32, as our side reads them, and stay float32 for the components; the logistic
regressions read float64, which all of their solvers work in. An intercept is a further column of ones, so that it is
kept small with the weights by every solver, as in liblinear with an intercept scaling of 1: the answer of all is one.
"""

import argparse
from pathlib import Path

import numpy as np
import sklearn
from protocol import serve
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier


def read(folder, name, width):
    return np.fromfile(Path(folder) / f"{name}.f32", "<f4").reshape(-1, width)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--svd", default="randomized")
    parser.add_argument("--solver", default="liblinear")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    def linear(folder, rows, components):
        greys, known = read(folder, "train", 128 * 128)[:rows], read(folder, "train-ages", 1)[:rows, 0]
        tested = read(folder, "test", 128 * 128)

        def fit():
            pca = PCA(components, svd_solver=options.svd, random_state=1)
            return pca, LinearRegression().fit(pca.fit_transform(greys), known)

        def result():
            pca, line = fit()
            return line.predict(pca.transform(tested))

        return fit, result

    def logistic(folder, rows, components, months):
        width = int((Path(folder) / "scores-width").read_text())

        def with_ones(name):
            scores = read(folder, name, width)[:, :components].astype(np.float64)
            return np.hstack([scores, np.ones((len(scores), 1))])

        trained, tested = with_ones("train-scores")[:rows], with_ones("test-scores")
        known = read(folder, "train-ages", 1)[:rows, 0]

        def fit():
            one = LogisticRegression(solver=options.solver, fit_intercept=False, tol=1e-4, max_iter=2000)
            return OneVsRestClassifier(one, n_jobs=options.jobs).fit(trained, known)

        if months:
            return fit, lambda: fit().predict(tested)
        return fit, lambda: fit().decision_function(tested).ravel()

    def prepare(words):
        kind, folder, rows, components = words[0], words[1], int(words[2]), int(words[3])
        if kind == "linear":
            return linear(folder, rows, components)
        return logistic(folder, rows, components, months=kind == "months")

    serve(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}", prepare)


if __name__ == "__main__":
    main()
