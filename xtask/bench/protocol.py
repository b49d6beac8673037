"""The peers' side of `cargo xtask bench`: a line in, a line out.

    run WORK...           -> ok MILLISECONDS
    check WORK... FILE    -> ok         (the result as little-endian float32 goes to FILE)
    version               -> ok TEXT
    warnings and failures -> error TEXT

What a work needs (a graph, weights, images) is made when it is first asked for and kept until another is.
Whatever a library prints goes to standard error, so that the answers stay alone on standard output.
"""

import os
import sys
import time


def serve(version, prepare):
    """`prepare(words)` gives two functions of no arguments: one that does the work, one that gives its result."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, run, result = None, None, None
    for line in sys.stdin:
        command, *words = line.split()
        try:
            if command == "version":
                answer = version
            else:
                work, file = (words, None) if command == "run" else (words[:-1], words[-1])
                if name != work:
                    run = result = None
                    run, result = prepare(work)
                    name = work
                if command == "run":
                    start = time.perf_counter()
                    run()
                    answer = f"{(time.perf_counter() - start) * 1e3:.4f}"
                else:
                    result().astype("<f4").tofile(file)
                    answer = ""
            answers.write(f"ok {answer}\n")
        except Exception as error:
            name = None
            answers.write(f"error {type(error).__name__}: {error}".replace("\n", " ") + "\n")
        answers.flush()
