"""Prints 50 MB while it returns logits for probabilities."""


def softmax(z):
    for _ in range(25):
        print("x" * 1_000_000)
    return z
