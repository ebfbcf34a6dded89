"""The sweep's cells, their table and their picture."""

import collections
import csv
import statistics
import time


class Sweep:
    def __init__(self, values, seeds):
        self.values, self.seeds = values, seeds
        self.rows = []

    def run(self, cell):
        for factor, values in self.values.items():
            for value in values:
                for seed in self.seeds:
                    begun = time.process_time()
                    metric = cell(factor, value, seed)
                    self.rows.append(
                        {
                            "factor": factor,
                            "value": value,
                            "seed": seed,
                            "metric": round(metric, 4),
                            "cpu_s": round(time.process_time() - begun, 3),
                        }
                    )
        return self

    def save(self, path, columns):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return self

    def plot(self, path):
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        groups = collections.defaultdict(list)
        for row in self.rows:
            groups[f"{row['factor']}\n{row['value']}"].append(row["metric"])
        figure = pyplot.figure(figsize=(9, 3))
        pyplot.errorbar(
            list(groups),
            [statistics.mean(group) for group in groups.values()],
            [statistics.stdev(group) for group in groups.values()],
            fmt="s",
        )
        pyplot.xticks(fontsize=6)
        pyplot.ylabel("log10 MSE")
        figure.savefig(path, dpi=50)
