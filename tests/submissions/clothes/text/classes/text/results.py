"""results.csv and plot.png."""

from __future__ import annotations

import csv
import statistics
import time

COLUMNS = ("method", "labels", "seed", "metric", "cpu_s")


class Stopwatch:
    def __enter__(self):
        self.start = time.process_time()
        return self

    def __exit__(self, *_):
        self.seconds = time.process_time() - self.start


class Table:
    def __init__(self):
        self.rows = []

    def measure(self, method, labels, seed, cell):
        with Stopwatch() as watch:
            metric = cell(method, labels, seed)
        row = dict(zip(COLUMNS, (method, labels, seed, f"{metric:.4f}", f"{watch.seconds:.2f}")))
        self.rows.append(row)
        print(row, flush=True)

    def metrics(self, method, labels):
        return [
            float(row["metric"])
            for row in self.rows
            if (row["method"], row["labels"]) == (method, labels)
        ]

    def save(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def plot(self, path):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4))
        axis = figure.subplots()
        for method in dict.fromkeys(row["method"] for row in self.rows):
            numbers = sorted({row["labels"] for row in self.rows if row["method"] == method})
            cells = [self.metrics(method, labels) for labels in numbers]
            axis.errorbar(
                numbers,
                [statistics.mean(cell) for cell in cells],
                [statistics.pstdev(cell) for cell in cells],
                label=method,
                capsize=3,
            )
        axis.set(xscale="log", xlabel="labels a class", ylabel="accuracy on test")
        axis.legend()
        figure.savefig(path, dpi=60)
