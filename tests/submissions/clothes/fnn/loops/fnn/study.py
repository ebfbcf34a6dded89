from __future__ import annotations

import math
import time

import numpy as np
import torch

from .model import fit

VARIANT = "sincos"
DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000


def target(variant: str, x: np.ndarray) -> np.ndarray:
    if variant == "sincos":
        return np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x)
    if variant == "log2cos":
        return np.log2(x) + np.cos(np.pi * x / 2)
    if variant == "sin":
        return np.sin(x)
    raise ValueError(f"no variant {variant!r}; choose one of {', '.join(DOMAINS)}")


def points(rng, number):
    low, high = DOMAINS[VARIANT]
    return np.array([[low + (high - low) * rng.random()] for _ in range(number)])


def run_cell(factor: str, value: int | float | str, seed: int) -> float:
    depth, width, rate, activation = 2, 64, 0.01, "tanh"
    if factor == "depth":
        depth = value
    elif factor == "width":
        width = value
    elif factor == "learning_rate":
        rate = value
    elif factor == "activation":
        activation = value
    else:
        raise ValueError("there is no factor " + str(factor))
    rng = np.random.default_rng(1000 + seed)
    low, high = DOMAINS[VARIANT]
    test = points(rng, TEST_POINTS)
    train = np.array([[x] for x in np.linspace(low, high, TRAIN_POINTS)])
    network = fit(
        torch.tensor(train).float(),
        torch.tensor(target(VARIANT, train)).float(),
        seed,
        depth=depth,
        width=width,
        activation=activation,
        learning_rate=rate,
        steps=STEPS,
    )
    with torch.no_grad():
        guesses = network(torch.tensor(test).float())
    total = 0.0
    for guess, truth in zip(guesses[:, 0].tolist(), target(VARIANT, test)[:, 0].tolist()):
        total += (guess - truth) ** 2
    mse = total / TEST_POINTS
    if math.isnan(mse) or mse > 1000:
        return 3.0
    return math.log10(mse)


def main() -> None:
    import matplotlib.pyplot as plt

    lines = ["factor,value,seed,metric,cpu_s"]
    means = []
    for factor, value in (
        ("depth", 1), ("depth", 2), ("depth", 5),
        ("width", 4), ("width", 32), ("width", 64),
        ("learning_rate", 0.0001), ("learning_rate", 0.001), ("learning_rate", 0.01),
        ("learning_rate", 1),
        ("activation", "identity"), ("activation", "tanh"), ("activation", "sigmoid"),
    ):
        numbers = []
        for seed in range(3):
            before = time.process_time()
            metric = run_cell(factor, value, seed)
            spent = time.process_time() - before
            lines.append("%s,%s,%d,%.5f,%.2f" % (factor, value, seed, metric, spent))
            numbers.append(metric)
        means.append((factor + " " + str(value), sum(numbers) / len(numbers)))
        print(means[-1])
    with open("results.csv", "w") as file:
        file.write("\n".join(lines) + "\n")
    plt.figure(figsize=(6, 4))
    plt.barh([name for name, _ in means], [mean for _, mean in means])
    plt.xlabel("log10 MSE")
    plt.tight_layout()
    plt.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
