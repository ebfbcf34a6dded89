"""Fine-tuning with few labels: on drawn texts, then on hidden forms of public ones."""

import numpy as np
import pytest
import torch

from grader.suite import require

LABELS = 10  # a class
LARGEST_FILE = 60_000  # bytes: enough for any program, too few to carry texts along


@pytest.mark.item("finetuned", weight=0.5)
@pytest.mark.hint("A file of a program has no more than 60,000 bytes; data do not belong into it.")
def test_files_are_programs(submission):
    """No file of the program has more than 60,000 bytes."""
    for name in ("layers", "model", "study"):
        size = len(submission.bytes(f"text/{name}.py") or b"")
        require(size <= LARGEST_FILE, f"text/{name}.py has {size} bytes")


@pytest.mark.item("finetuned", weight=2)
@pytest.mark.depends("test_encoder.py::test_fine_tuning_trains_the_layers")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("Thirty steps or more, a rate near 1e-4 for the layers, ten times that for head.")
def test_drawn_texts_are_learnt(student, drawn_topics, tuned, accuracy, rng, bar):
    """Texts and an encoder that are drawn for this submission: 20 labels a class, three draws."""
    found = []
    for _ in range(3):
        few = drawn_topics(rng, 20)
        ours = tuned(student, few, int(rng.integers(2**31)), student.model.finetune)
        found.append(accuracy(ours, few.test_ids, few.test_mask, few.test_y))
    bar("finetuned-drawn", float(np.mean(found)))


def form(student, hidden_form, tuned, accuracy, name, rng, tested):
    """Fine-tune on one hidden form; return the accuracy, the task and our twin."""
    few = hidden_form(name, rng, LABELS, tested=tested)
    ours = tuned(student, few, int(rng.integers(2**31)), student.model.finetune)
    return accuracy(ours, few.test_ids, few.test_mask, few.test_y), few, ours


@pytest.mark.item("finetuned", weight=4)
@pytest.mark.depends("test_drawn_texts_are_learnt", "test_files_are_programs")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("Few labels: are all layers trained, from the pretrained weights?")
def test_first_texts(student, reference, hidden_form, tuned, accuracy, variant, rng, bar, figure):
    """The term's texts: the mean accuracy on hidden forms meets the bar."""
    found = []
    for _ in range(variant["forms"]):
        share, few, ours = form(student, hidden_form, tuned, accuracy, variant["first"], rng, 400)
        found.append(share)
    draw_confusions(figure, reference, variant["first"], few, ours)
    bar("finetuned-first", float(np.mean(found)))


@pytest.mark.item("finetuned", weight=3)
@pytest.mark.depends("test_drawn_texts_are_learnt", "test_files_are_programs")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("The same training must do on other texts: keep no constant of the first.")
def test_second_texts(student, hidden_form, tuned, accuracy, variant, rng, bar):
    """The second texts: the accuracy on a hidden form meets the bar."""
    share, *_ = form(student, hidden_form, tuned, accuracy, variant["second"], rng, 800)
    bar("finetuned-second", share)


def draw_confusions(figure, reference, name, few, ours):
    """Draw how often each class is taken for each, of the last hidden form."""
    guess = reference.study.predict(ours, few.test_ids, few.test_mask)
    counts = torch.zeros(few.classes, few.classes)
    counts.index_put_((few.test_y, guess), torch.tensor(1.0), accumulate=True)
    axes = figure("confusions", f"{name}: true class (rows) and predicted class of the test texts")
    axes.imshow(counts.numpy(), cmap="Blues")
    axes.set(xlabel="predicted", ylabel="true")
