"""Training, step by step: AdamW with two rates, warm-up, clipping, and every text in its turn."""

import numpy as np
import pytest
import torch

from grader.suite import as_object, attribute, require, set_training

VOCAB, CLASSES = 30, 3
SIZES = {"dim": 8, "layers": 1, "heads": 2, "ff": 12, "dropout": 0.0}
RECIPE = {"batch": 4, "rate": 1e-3, "head_rate": 1e-2, "decay": 0.01, "warmup": 0.3, "clip": 1.0}


def ours_of(reference, **options):
    """Make our network of the sizes of these tests."""
    return reference.model.TransformerClassifier(VOCAB, CLASSES, **{**SIZES, **options})


def start(student, reference, rng, **options):
    """Make a student's network; return it and our twin of it, with weights as they start."""
    module = as_object(student.model.TransformerClassifier(VOCAB, CLASSES, **{**SIZES, **options}))
    torch.manual_seed(int(rng.integers(2**31)))
    ours = ours_of(reference, **options)
    module.load_state_dict(ours.state_dict())
    return module, ours


def copies(rng, count=8, words=6):
    """Return one text, many times: no order of batches matters."""
    ids = torch.tensor(rng.integers(1, VOCAB, (1, words))).repeat(count, 1)
    return ids, torch.ones_like(ids, dtype=torch.bool), torch.full((count,), 1)


def descend(reference, ours, texts, steps, **recipe):
    """Take the steps on our own network; every batch is one text, however often."""
    plan = {**RECIPE, **recipe}
    ids, mask, y = (part[:1] for part in texts)
    warmup = int(plan["warmup"] * steps)
    groups = [
        {
            "params": [parameter],
            "base": plan["head_rate"] if name.startswith("head.") else plan["rate"],
            "weight_decay": plan["decay"] if parameter.ndim > 1 else 0.0,
        }
        for name, parameter in ours.named_parameters()
        if parameter.requires_grad
    ]
    optimiser = torch.optim.AdamW(groups, lr=1.0)
    ours.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * reference.layers.learning_rate(step, warmup, steps)
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(ours(ids, mask), y).backward()
        torch.nn.utils.clip_grad_norm_(ours.parameters(), plan["clip"])
        optimiser.step()
    return ours.eval()


def state_of(ours):
    """Return a copy of a network's parameters by name."""
    return {name: p.detach().clone() for name, p in ours.named_parameters()}


def moves(before, after):
    """Return how far each parameter moved.

    But for the biases of keys: they add the same to all scores of a query, so that their gradient
    is rounding alone.
    """
    names = (name for name in before if not name.endswith("key.bias"))
    return {name: after[name] - before[name] for name in names}


def train(student, module, texts, seed=3, **recipe):
    """Let the student's train work on a network of the student's."""
    return as_object(student.model.train(module, *texts, seed, **{**RECIPE, **recipe}))


def require_moves(found, wanted, what):
    """Fail unless every parameter moved as ours did, up to rounding.

    Where a gradient is near 0, rounding decides its sign, and Adam's step with it: those numbers
    are few.
    """
    for name, move in wanted.items():
        scale = float(move.abs().max())
        if scale == 0:
            require(float(found[name].abs().max()) == 0, f"{what}: {name} must not move")
            continue
        clear = move.abs() > 0.2 * scale
        off = float(((found[name] - move)[clear].abs() / move[clear].abs()).median())
        require(off < 0.02, f"{what}: the moves of {name} are {off:.1%} off")


@pytest.mark.item("training", weight=2)
@pytest.mark.hint("The learning rate of step 0 is 1 / warmup of the full one, not 0.")
def test_no_step_and_one_step(student, reference, twin, rng):
    """No step changes nothing; one step is AdamW's, with the rate of head for head."""
    texts = copies(rng)
    module, ours = start(student, reference, rng)
    before = state_of(ours)
    same = state_of(twin(train(student, module, texts, steps=0), ours_of(reference)))
    require(all(torch.equal(before[n], same[n]) for n in before), "no step changed a parameter")
    # Unclipped: a wrong clip, which shows in gradients as small as eps, is for other tests.
    wanted = moves(before, state_of(descend(reference, ours, texts, 1, clip=1e3)))
    after = state_of(twin(train(student, module, texts, steps=1, clip=1e3), ours_of(reference)))
    require_moves(moves(before, after), wanted, "one step")


@pytest.mark.item("training", weight=3)
@pytest.mark.depends("test_no_step_and_one_step")
@pytest.mark.hint(
    "zero_grad before each step; warm-up over int(warmup * steps) steps, then down to 0."
)
def test_several_steps_are_those_of_adamw(student, reference, twin, rng):
    """Ten steps on one text are ten of AdamW, with warm-up, clipped or not.

    Clipped gradients of one text differ little from their sum: what adds up shows unclipped.
    """
    texts = copies(rng)
    for clip in (1.0, 0.05, 1e3):
        module, ours = start(student, reference, rng)
        before = state_of(ours)
        wanted = moves(before, state_of(descend(reference, ours, texts, 10, clip=clip)))
        module = train(student, module, texts, steps=10, clip=clip)
        found = moves(before, state_of(twin(module, ours_of(reference))))
        require_moves(found, wanted, f"ten steps, gradients of {clip:g} at most")


@pytest.mark.item("training")
@pytest.mark.depends("test_several_steps_are_those_of_adamw")
@pytest.mark.hint("Clip all gradients together, after backward and before the step.")
def test_gradients_are_clipped_together(student, reference, twin, rng):
    """A change of gradient in the middle of training counts by its direction, if it is long."""
    # Adam forgets the length of gradients that keep it; so the clip shows where eps is not small
    # beside them.
    texts = copies(rng)
    module, ours = start(student, reference, rng)
    before = state_of(ours)
    wanted = moves(before, state_of(descend(reference, ours, texts, 4, clip=1e-8)))
    module = train(student, module, texts, steps=4, clip=1e-8)
    found = moves(before, state_of(twin(module, ours_of(reference))))
    # In float32 the norms' gains, which begin at 1, are known to a hundredth of such moves.
    gains = "norm.weight", "norm1.weight", "norm2.weight"
    fine = {name: move for name, move in wanted.items() if not name.endswith(gains)}
    require_moves(found, fine, "gradients of 1e-8 at most")


@pytest.mark.item("training")
@pytest.mark.depends("test_no_step_and_one_step")
@pytest.mark.hint("Two groups in AdamW: weight_decay for p.ndim > 1, 0 for vectors.")
def test_matrices_decay_and_vectors_do_not(student, reference, twin, rng):
    """A large decay shrinks matrices, and leaves biases and norms to their gradients."""
    texts = copies(rng)
    module, ours = start(student, reference, rng)
    before = state_of(ours)
    wanted = moves(before, state_of(descend(reference, ours, texts, 3, decay=100.0)))
    module = train(student, module, texts, steps=3, decay=100.0)
    with_decay = moves(before, state_of(twin(module, ours_of(reference))))
    require_moves(with_decay, wanted, "decay 100")


@pytest.mark.item("training")
@pytest.mark.hint("randperm over all texts, slices of `batch`; keep the last, smaller one.")
def test_every_text_comes_once_before_any_comes_again(student, reference, twin, rng):
    """A round of batches holds every text once, also those of the last, smaller batch."""
    count, batch = 7, 3  # three steps a round, the last of one text
    ids = torch.arange(1, count + 1)[:, None].repeat(1, 2)  # each text has a word of its own
    texts = ids, torch.ones_like(ids, dtype=torch.bool), torch.arange(count) % CLASSES
    for seed in rng.permutation(50)[:3]:
        module, ours = start(student, reference, rng)
        before = state_of(ours)["words.weight"]
        plan = {"batch": batch, "decay": 0.0, "steps": 3, "warmup": 0.0, "clip": 100.0}
        module = train(student, module, texts, int(seed), **plan)
        moved = (state_of(twin(module, ours_of(reference)))["words.weight"] - before).abs()
        rows = moved.max(dim=1).values > 0
        require(bool(rows[1 : count + 1].all()), "a text was not trained on in the first round")
        require(not bool(rows[count + 1 :].any()), "a word that no text holds was trained")


@pytest.mark.item("training")
@pytest.mark.depends("test_every_text_comes_once_before_any_comes_again")
@pytest.mark.hint("A batch of `batch` texts a step: the mean loss of these alone.")
def test_a_step_takes_a_batch(student, reference, twin, rng):
    """One step changes the words of `batch` texts, drawn by the seed, and of no others."""
    count, batch = 9, 4
    ids = torch.arange(1, count + 1)[:, None].repeat(1, 2)
    texts = ids, torch.ones_like(ids, dtype=torch.bool), torch.arange(count) % CLASSES
    drawn = set()
    for seed in range(8):
        module, ours = start(student, reference, rng)
        before = state_of(ours)["words.weight"]
        module = train(student, module, texts, seed, batch=batch, decay=0.0, steps=1)
        moved = (state_of(twin(module, ours_of(reference)))["words.weight"] - before).abs()
        rows = (moved.max(dim=1).values > 0).nonzero()[:, 0].tolist()
        require(len(rows) == batch, f"one step saw {len(rows)} texts, expected {batch}")
        drawn.add(tuple(rows))
    require(len(drawn) > 1, "eight seeds began with the same texts")


@pytest.mark.item("training")
@pytest.mark.depends("test_every_text_comes_once_before_any_comes_again")
@pytest.mark.hint("Padding may be cut as far as the longest text of the batch goes, no further.")
def test_a_step_heeds_every_word_and_no_padding(student, reference, twin, rng):
    """A step on long and short texts together changes all words of theirs, and not padding's."""
    lengths = 1 + rng.permutation(7)  # 28 words: each has a number of its own
    mask = torch.tensor(np.arange(7)[None] < lengths[:, None])
    ids = torch.zeros(mask.shape, dtype=torch.int64)
    ids[mask] = torch.tensor(1 + rng.permutation(VOCAB - 1)[: int(mask.sum())])
    module, ours = start(student, reference, rng)
    before = state_of(ours)["words.weight"]
    texts = ids, mask, torch.arange(7) % CLASSES
    module = train(student, module, texts, batch=7, decay=0.0, steps=1)
    moved = (state_of(twin(module, ours_of(reference)))["words.weight"] - before).abs()
    rows = moved.max(dim=1).values > 0
    missed = sum(not bool(rows[word]) for word in ids[mask])
    require(missed == 0, f"{missed} words of the batch's texts were not trained on")
    require(int(rows.sum()) == int(mask.sum()), "a step changed padding, or a word of no text")


@pytest.mark.item("training")
@pytest.mark.hint("torch.manual_seed(seed) at the start, and no other source of randomness.")
def test_the_seed_decides_training(student, reference, twin, rng, batch):
    """Equal seeds give equal networks, other seeds others; dropout is on while training."""
    ids, mask = batch(rng, 12, 6, VOCAB)
    texts = ids, mask, torch.arange(12) % CLASSES
    start_ids = torch.tensor(rng.integers(1, VOCAB, (2, 4)))

    def network(seed, dropout):
        # The network's weights are drawn by the same seed: from_scratch does so.
        module = as_object(
            student.model.from_scratch("transformer", VOCAB, *texts, CLASSES, seed, steps=3)
        )
        default = reference.model.TransformerClassifier(VOCAB, CLASSES)
        return twin(module, default)(start_ids, torch.ones_like(start_ids, dtype=torch.bool))

    one, same, other = (network(seed, 0.1).detach() for seed in (7, 7, 8))
    require(float((one - same).abs().max()) < 1e-5, "one seed gave two networks")
    require(float((one - other).abs().max()) > 1e-4, "two seeds gave one network")


@pytest.mark.item("training")
@pytest.mark.depends("test_a_step_takes_a_batch")
@pytest.mark.hint("train itself begins with torch.manual_seed(seed), whoever calls it.")
def test_the_seed_of_train_decides_its_batches(student, reference, twin, rng):
    """Equal calls of train on equal networks take the same texts, whatever was drawn before."""
    ids = torch.arange(1, 29)[:, None].repeat(1, 2)  # each text has a word of its own
    texts = ids, torch.ones_like(ids, dtype=torch.bool), torch.arange(28) % CLASSES
    seed, drawn = int(rng.integers(2**31)), []
    network = int(rng.integers(2**31))
    for _ in range(2):
        module, ours = start(student, reference, np.random.default_rng(network))
        before = state_of(ours)["words.weight"]
        module = train(student, module, texts, seed, batch=14, decay=0.0, steps=1)
        moved = (state_of(twin(module, ours_of(reference)))["words.weight"] - before).abs()
        drawn.append((moved.max(dim=1).values > 0).nonzero()[:, 0].tolist())
    require(drawn[0] == drawn[1], "train with one seed began with other texts the second time")


@pytest.mark.item("training")
@pytest.mark.hint("model.train() before the first step, model.eval() after the last.")
def test_training_is_in_training_mode(student, reference, twin, rng):
    """Dropout changes what training learns, and the network comes back in evaluation mode."""
    texts = copies(rng)
    module, ours = start(student, reference, rng, dropout=0.9)
    before = state_of(ours)
    dry = moves(before, state_of(descend(reference, twin(module, ours_of(reference)), texts, 4)))
    set_training(module, False)
    trained = train(student, module, texts, steps=4)
    require(attribute(trained, "training") is False, "the network comes back in training mode")
    found = moves(before, state_of(twin(trained, ours_of(reference))))
    far = max(float((found[n] - dry[n]).abs().max()) for n in found)
    require(far > 1e-4, "dropout 0.9 trains as no dropout does: is it trained in evaluation mode?")


@pytest.mark.item("training")
@pytest.mark.depends("test_several_steps_are_those_of_adamw")
@pytest.mark.hint("Take as many steps as are asked for, no more and no fewer.")
def test_many_steps(student, reference, twin, rng):
    """Any number of steps is that number of AdamW's, to the last."""
    texts, steps = copies(rng), int(rng.integers(25, 45))
    module, ours = start(student, reference, rng)
    before = state_of(ours)
    wanted = moves(before, state_of(descend(reference, ours, texts, steps)))
    module = train(student, module, texts, steps=steps)
    found = moves(before, state_of(twin(module, ours_of(reference))))
    far, whole = (
        torch.cat([(part[n]).flatten() for n in sorted(wanted)]).norm()
        for part in ({n: found[n] - wanted[n] for n in wanted}, wanted)
    )
    # Rounding grows as training goes on, but not to a fifth of the way.
    require(float(far) < 0.2 * float(whole), f"{steps} steps end {float(far / whole):.2f} off")


# ------------------------------------------------------------------------------ planted
# Texts in which only the order of words tells the class.

LENGTH, LEXICON, MARKED = 12, 60, 4
TRAIN, TEST = 1500, 400
TRAINING_CPU_SECONDS = 60  # a slow machine must decide nothing
# A Transformer stays on a plateau for some time: of 60 that had 300 steps at 0.003 two were below
# 0.8, of 70 at 0.005 one; of 40 that had 400 steps none was below 0.96.
STEPS = {"transformer": 600, "lstm": 300}
RATES = {"transformer": 5e-3, "lstm": 3e-3}


def orders(rng, count):
    """Draw texts that hold the same marked words; the class is which of them comes first."""
    y = rng.integers(0, MARKED, count)
    ids = rng.integers(1 + MARKED, LEXICON, (count, LENGTH))
    for row, label in zip(ids, y, strict=True):
        places = np.sort(rng.permutation(LENGTH)[:MARKED])
        others = rng.permutation(np.delete(np.arange(MARKED), label))
        row[places] = 1 + np.concatenate([[label], others])
    numbers = np.append(0, 1 + rng.permutation(LEXICON - 1))  # which words are marked is drawn, too
    return numbers, ids, y


def task(rng):
    """Return texts to train on and to test on."""
    numbers, ids, y = orders(rng, TRAIN + TEST)
    ids, y = torch.tensor(numbers[ids]), torch.tensor(y)
    mask = torch.ones_like(ids, dtype=torch.bool)
    return (ids[:TRAIN], mask[:TRAIN], y[:TRAIN]), (ids[TRAIN:], mask[TRAIN:], y[TRAIN:])


def learnt(student, twin, accuracy, rng, name, make, *sizes, **options):
    """Train a network of the student's; return the accuracy of our twin on the test, it, a text."""
    shown, hidden = task(rng)
    seed = int(rng.integers(2**31))
    torch.manual_seed(seed)
    theirs, ours = (constructor(*sizes, **options) for constructor in make)
    module = as_object(theirs)
    module.load_state_dict(ours.state_dict())
    rate = RATES[name]
    recipe = {"steps": STEPS[name], "batch": 32, "rate": rate, "head_rate": rate}
    with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
        module = as_object(student.model.train(module, *shown, seed, **recipe))
    ours = twin(module, ours)
    return accuracy(ours, *hidden), ours, hidden[0][:1]


@pytest.mark.item("planted")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("Without places a Transformer cannot know which word comes first.")
def test_a_transformer_learns_the_order_of_words(
    student, reference, twin, accuracy, rng, bar, figure
):
    """A Transformer of two layers tells which of four words comes first."""
    options = {"dim": 32, "layers": 2, "heads": 4, "ff": 64, "dropout": 0.0}
    make = student.model.TransformerClassifier, reference.model.TransformerClassifier
    drawn = student, twin, accuracy, rng, "transformer", make
    found, ours, ids = learnt(*drawn, LEXICON, MARKED, **options)
    draw_attention(figure, reference, ours, ids)
    bar("planted-transformer", found)


@torch.no_grad()
def draw_attention(figure, reference, ours, ids):
    """Draw what each word of a text looks at in the last layer, as the mean over heads."""
    mask = torch.ones_like(ids, dtype=torch.bool)
    h = ours.norm(ours.words(ids) + reference.layers.positional_encoding(LENGTH, ours.options.dim))
    *before, last = ours.layers
    for layer in before:
        h = layer(h, mask)
    q, k = (
        part(h).unflatten(2, (last.heads, -1)).transpose(1, 2) for part in (last.query, last.key)
    )  # [1, heads, T, d / heads]
    _, weights = reference.layers.attention(q, k, k, mask[:, None, None])
    axes = figure("attention", "what each word (row) of a text looks at; numbers are the words'")
    axes.imshow(weights[0].mean(dim=0).numpy(), cmap="viridis", vmin=0)
    axes.set_xticks(range(LENGTH), ids[0].tolist())
    axes.set_yticks(range(LENGTH), ids[0].tolist())


@pytest.mark.item("planted")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("A state carries what was first to the end: is it passed on from word to word?")
def test_an_lstm_learns_which_word_comes_first(student, reference, twin, accuracy, rng, bar):
    """An LSTM that reads in one direction tells which of four words comes first."""
    options = {"dim": 32, "hidden": 32, "cell": "lstm", "bidirectional": False, "dropout": 0.0}
    make = student.model.RNNClassifier, reference.model.RNNClassifier
    found, *_ = learnt(student, twin, accuracy, rng, "lstm", make, LEXICON, MARKED, **options)
    bar("planted-lstm", found)
