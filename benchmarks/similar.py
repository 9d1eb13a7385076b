"""CPU time of a search for similar works on one thread, by the number of works, in NumPy and, if installed, in faiss.

    python benchmarks/similar.py [--works N …] [--length N] [--queries N] [--spectrum POWER]

Works are random vectors whose values decay like those of principal components: the n-th has the deviation n to the
power of minus POWER. 0, values of equal size, is the worst case. Without ``OPENBLAS_CORETYPE`` and
``OPENBLAS_L2_SIZE``, which some machines set, NumPy is faster.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from art_pipeline.discovery.nearest import nearest, unit_rows
from art_pipeline.discovery.similar.index import SearchIndex

NEAREST, BATCH = 10, 64
COLUMNS = ("works", "index, s", "one query, ms", "all values, ms", "64 queries, ms each", "faiss, ms")


def main() -> None:
    """Print a row for each number of works."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--spectrum", type=float, default=0.5)
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for count in options.works:
        with threadpool_limits(1):
            cells = [f"{count:,}", *measure(made_rows(count, options.length, options.spectrum), options.queries)]
        print(f"| {' | '.join(cells)} |", flush=True)


def measure(rows: np.ndarray, queries: int) -> list[str]:
    """Return seconds of the index, and milliseconds of each kind of search."""
    start = time.process_time()
    index = SearchIndex.of(rows)
    built = time.process_time() - start
    asked = list(rows[:: max(1, len(rows) // queries)][:queries])
    check(index, rows, asked)
    times = [
        median(lambda one: index.nearest(one, NEAREST), asked),
        median(lambda one: np.argpartition(rows @ one, -NEAREST), asked),
        median(lambda some: nearest(some, rows, NEAREST), [rows[:BATCH]]) / BATCH,
    ]
    return [f"{built:.2f}", *(f"{one:.1f}" for one in times), faiss_ms(rows, asked)]


def made_rows(count: int, length: int, power: float) -> np.ndarray:
    """Return (count, length) float32 random rows of unit length."""
    random = np.random.default_rng(0)
    deviations = (np.arange(1, length + 1) ** -power).astype(np.float32)
    parts = [random.standard_normal((some, length), np.float32) * deviations for some in parts_of(count)]
    return unit_rows(np.concatenate(parts))


def parts_of(count: int) -> list[int]:
    """Return sizes of parts of at most 100,000 rows."""
    return [min(100_000, count - start) for start in range(0, count, 100_000)]


def check(index: SearchIndex, rows: np.ndarray, queries: list) -> None:
    """Compare the search with sorting all similarities."""
    for one in queries[:5]:
        found, expected = index.nearest(one, NEAREST), np.argsort(-(rows @ one), kind="stable")[:NEAREST]
        assert found.indices.tolist() == expected.tolist()


def median(work: Callable, inputs: list) -> float:
    """Return the median time of some calls, in milliseconds."""
    times = []
    for one in inputs:
        start = time.process_time()
        work(one)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def faiss_ms(rows: np.ndarray, queries: list) -> str:
    """Return the same of faiss' exact index; ``-`` where faiss is not installed."""
    try:
        import faiss
    except ImportError:
        return "-"
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return f"{median(lambda one: index.search(one[None], NEAREST), queries):.1f}"


if __name__ == "__main__":
    main()
