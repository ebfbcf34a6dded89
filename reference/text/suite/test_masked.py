"""Masked language modelling: which words are hidden and how, and what the loss is over."""

import math

import pytest
import torch

from grader.suite import as_number, as_tensor, assert_matches, require, require_unchanged

SPECIAL, VOCAB, MASK = torch.tensor([0, 1, 2, 3]), 60, 3
IGNORED = -100
FAR = 5  # standard deviations of a share that may be missed: once in two million


def words(rng, count=40, length=100):
    """Draw texts with marks of begin and end and padding."""
    ids = torch.tensor(rng.integers(4, VOCAB, (count, length)))
    ids[:, 0], ids[:, length // 2], ids[:, -10:] = 1, 2, 0
    return ids


def hide(student, rng, ids, *, vocab=VOCAB, p=0.15):
    """Let the student's mask_tokens work; return inputs and labels, checked for form."""
    generator = student.torch_generator(int(rng.integers(2**31)))
    answer = student.layers.mask_tokens(ids, SPECIAL, vocab, MASK, generator, p)
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (inputs, labels)")
    return [as_tensor(part, tuple(ids.shape), torch.int64) for part in answer]


def require_share(found, count, chance, what):
    """Fail unless `found` of `count` is what a chance gives."""
    sd = math.sqrt(chance * (1 - chance) * count)
    require(abs(found - chance * count) < FAR * sd, f"{found} of {count} {what}")


@pytest.mark.item("masked")
@pytest.mark.hint("p is the chance of each word to be selected, alone.")
def test_the_share_that_is_selected(student, rng):
    """About 15 % of the words are selected, or any other share; labels hold what was there."""
    ids = words(rng)
    usual = ~torch.isin(ids, SPECIAL)
    for p in (0.15, 0.5):
        _, labels = hide(student, rng, ids, p=p)
        selected = labels != IGNORED
        require_share(int(selected.sum()), int(usual.sum()), p, "are selected")
        assert_matches(labels[selected], ids[selected])
        counts = selected.sum(dim=1).double()
        require(float(counts.std()) > 1, "every text has the same number of selected words")


@pytest.mark.item("masked")
@pytest.mark.hint("No number of `special` is ever selected, padding least of all.")
def test_special_words_are_never_selected(student, rng):
    """Marks of begin and end and padding stay as they are."""
    ids = words(rng)
    inputs, labels = hide(student, rng, ids, p=0.9)
    special = torch.isin(ids, SPECIAL)
    require(bool((labels[special] == IGNORED).all()), "a special word is selected")
    assert_matches(inputs[special], ids[special])


@pytest.mark.item("masked", weight=2)
@pytest.mark.hint(
    "0.8 the mask, 0.1 a random word, 0.1 as it was; words that are not selected stay."
)
def test_what_becomes_of_a_selected_word(student, rng):
    """Eight of ten are the mask, one any other word, one stays; all others stay."""
    ids = words(rng)
    inputs, labels = hide(student, rng, ids, p=0.5)
    selected = labels != IGNORED
    assert_matches(inputs[~selected], ids[~selected])
    count = int(selected.sum())
    require(count > 1000, f"only {count} words are selected at p = 0.5")
    now, before = inputs[selected], ids[selected]
    require_share(int((now == MASK).sum()), count, 0.8, "are the mask")
    # A word drawn at random is now and then the one that was there.
    same = 0.1 + 0.1 / (VOCAB - len(SPECIAL))
    require_share(int((now == before).sum()), count, same, "stay")
    others = int(((now != MASK) & (now != before)).sum())
    require_share(others, count, 0.2 - same, "are other words")


@pytest.mark.item("masked")
@pytest.mark.depends("test_what_becomes_of_a_selected_word")
@pytest.mark.hint("A random word is any that is not special, each as likely as the others.")
def test_random_words_are_no_special_ones(student, rng):
    """Of few words, random ones are all that are not special, and no special one."""
    vocab = 7
    ids = torch.tensor(rng.integers(4, vocab, (60, 100)))
    inputs, labels = hide(student, rng, ids, vocab=vocab, p=0.9)
    selected = labels != IGNORED
    found = torch.bincount(inputs[selected & (inputs != MASK)], minlength=vocab)
    require(len(found) == vocab, "a word that does not exist")
    require(int(found[:3].sum()) == 0, "a random word is special")
    for word in (4, 5, 6):
        require_share(int(found[word]), int(found.sum()), 1 / 3, "are one of three words")


@pytest.mark.item("masked")
@pytest.mark.depends("test_the_share_that_is_selected")
@pytest.mark.hint("Draw from the generator alone; without one from torch's own.")
def test_the_generator_decides(student, rng):
    """Equal generators hide the same words, other ones others; None draws anew each time."""
    ids, seed = words(rng), int(rng.integers(2**31))

    def ask(generator):
        answer = student.layers.mask_tokens(ids, SPECIAL, VOCAB, MASK, generator)
        require(type(answer) in (tuple, list) and len(answer) == 2, "expected (inputs, labels)")
        return as_tensor(answer[0], tuple(ids.shape), torch.int64)

    one, same, other = (ask(student.torch_generator(s)) for s in (seed, seed, seed + 1))
    require(torch.equal(one, same), "one seed hid different words")
    require(not torch.equal(one, other), "two seeds hid the same words")
    require(not torch.equal(ask(None), ask(None)), "without a generator nothing changes")


@pytest.mark.item("masked", weight=0.5)
@pytest.mark.depends("test_the_share_that_is_selected")
@pytest.mark.hint("Work on a copy: ids belongs to whoever called.")
def test_the_texts_stay_as_they_were(student, rng):
    """mask_tokens leaves the texts and the list of special words as they were."""
    generator = student.torch_generator(1)
    require_unchanged(
        student, student.layers.mask_tokens, words(rng), SPECIAL, VOCAB, MASK, generator, 0.9
    )


@pytest.mark.item("masked")
@pytest.mark.hint("Only places whose label is not -100 count; their mean, not the sum.")
def test_loss_over_selected_words(student, reference, rng):
    """The mean cross-entropy over the selected words of random logits."""
    logits = torch.tensor(rng.normal(0, 2, (3, 6, 9)), dtype=torch.float32)
    labels = torch.tensor(rng.integers(0, 9, (3, 6)))
    labels[torch.tensor(rng.random((3, 6)) < 0.6)] = IGNORED
    labels[0, 0] = 4
    wanted = reference.layers.mlm_loss(logits, labels)
    assert_matches(student.layers.mlm_loss(logits, labels), wanted, rtol=1e-5)


@pytest.mark.item("masked", weight=0.5)
@pytest.mark.hint("A uniform guess among V words costs log V; no selected word costs 0, not NaN.")
def test_loss_of_a_guess_and_of_nothing(student):
    """The loss of equal logits is log V, that of no selected word 0."""
    labels = torch.full((2, 3), IGNORED)
    logits = torch.zeros(2, 3, 30522)
    require(as_number(student.layers.mlm_loss(logits, labels)) == 0, "expected 0")
    labels[1, 2] = 7
    found = as_number(student.layers.mlm_loss(logits, labels))
    require(abs(found - 10.326203) < 1e-4, f"a uniform guess costs {found}")
