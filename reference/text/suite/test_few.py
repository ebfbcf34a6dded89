"""Fine-tuning with few labels: on drawn texts, then on hidden forms of public ones."""

import numpy as np
import pytest
import torch

from grader.suite import as_object, require

LABELS = 10  # a class
DRAWN = 200  # texts in the picture of their vectors
LARGEST_FILE = 60_000  # bytes: enough for any program, too few to carry texts along


@pytest.mark.item("finetuned", weight=0.5)
@pytest.mark.depends("test_encoder.py::test_fine_tuning_trains_the_layers")
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
    draw_texts(figure, reference, variant["first"], few, ours)
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
    classes = range(len(counts))
    axes.set(xlabel="predicted", ylabel="true", xticks=classes, yticks=classes)


@torch.no_grad()
def draw_texts(figure, reference, name, few, ours):
    """Draw the test texts of the last hidden form by their vectors' two main components."""
    chosen = slice(DRAWN)
    ids, mask, y = few.test_ids[chosen], few.test_mask[chosen], few.test_y[chosen]
    vectors = reference.layers.masked_mean(ours.encoder(ids, mask), mask)  # [DRAWN, d]
    *_, components = torch.linalg.svd(vectors - vectors.mean(dim=0), full_matrices=False)
    places = vectors @ components[:2].T
    axes = figure("texts", f"{name}: test texts by two main components, coloured by true class")
    axes.scatter(*places.T.numpy(), c=y.numpy(), cmap="tab10", s=12)


# ------------------------------------------------------------------------------ the open part

OPEN_LABELS, UNLABELLED, TESTED = 50, 400, 1000


@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("Return a FineTuned of all layers in evaluation mode; seed torch first.")
def test_the_open_classifier_is_one_function(
    student, reference, drawn_topics, twin, require_twin, rng
):
    """Equal seeds give equal networks, and what they compute is what their parameters say."""
    few, ids, mask = drawn_topics(
        rng, 6, classes=3, width=32, layers=2, length=12, more=20, tested=10
    )
    seed, found = int(rng.integers(2**31)), []
    for _ in range(2):
        with student.budget(cpu_seconds=60):
            module = as_object(student.model.best(few.pretrained, *few.shown, seed, ids, mask))
        encoder = reference.model.Encoder.load(few.pretrained)
        ours = twin(module, reference.model.FineTuned(encoder, few.classes))
        require_twin(module, ours, few.ids, few.mask, few.classes)
        found.append(torch.cat([p.detach().flatten() for p in ours.parameters()]))
    far = float((found[0] - found[1]).abs().max())
    if far > 1e-4:
        pytest.fail(f"one seed gave two networks, {far:.2g} apart")


@pytest.mark.item("best")
@pytest.mark.depends("test_the_open_classifier_is_one_function")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint(
    "Labelled texts are [N, T], others [M, S]: fill up the shorter ones with padding."
)
def test_the_open_classifier_takes_texts_of_any_length(
    student, reference, drawn_topics, twin, require_twin, rng
):
    """Texts without labels may have more columns than those with labels, or fewer."""
    few, *others = drawn_topics(
        rng, 6, classes=3, width=32, layers=2, length=12, more=20, tested=10
    )
    shown = few.ids, few.mask
    short, short_others = (
        [part[:, :8].contiguous() for part in texts] for texts in (shown, others)
    )
    for ids, more in ((short, others), (shown, short_others)):
        with student.budget(cpu_seconds=60):
            module = as_object(
                student.model.best(few.pretrained, *ids, few.y, few.classes, 3, *more)
            )
        encoder = reference.model.Encoder.load(few.pretrained)
        ours = twin(module, reference.model.FineTuned(encoder, few.classes))
        require_twin(module, ours, *shown, few.classes)


@pytest.mark.item("best", weight=6)
@pytest.mark.depends("test_the_open_classifier_is_one_function", "test_drawn_texts_are_learnt")
@pytest.mark.limits(cpu_seconds=70)
@pytest.mark.hint("What do texts without labels tell? How long do you train, and at which rate?")
def test_open_classifier(student, hidden_form, tuned, accuracy, variant, rng, bar):
    """Accuracy on a hidden form of the term's texts, with 50 labels a class."""
    few, ids, mask = hidden_form(variant["first"], rng, OPEN_LABELS, more=UNLABELLED, tested=TESTED)
    seed = int(rng.integers(2**31))
    ours = tuned(student, few, seed, student.model.best, ids, mask)
    bar("open-best", accuracy(ours, few.test_ids, few.test_mask, few.test_y))
