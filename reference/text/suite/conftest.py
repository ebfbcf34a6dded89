"""What the tests share: drawn encoders and texts, the hidden form of public texts, our twins.

Labels of AG News and the others can be looked up. So a submission never meets a text as it is
published: words have new numbers, 5 % of them are missing, the units and heads of the encoder and
the classes stand in another order, drawn for this submission. Texts to test on never go in:
parameters come out, and our own network with these parameters predicts.
"""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grader.suite import as_number, as_object, as_tensor, parameters, require

KEPT = 0.95  # share of a text's words that stay in its hidden form
TESTED = 400  # texts of a hidden form that are predicted out here
# Parameters of the largest network, an encoder of three layers for 10,000 words, in float64.
LARGEST = 90_000_000
# Rounding in float32 through a few layers; a network that differs in any part is off by far more.
ROUNDING = 1e-4
TRAINING_CPU_SECONDS = 90  # students are told 30: a slow machine must decide nothing


@dataclass(frozen=True)
class Few:
    """Few labelled texts to train on, and texts that stay out here to test on."""

    pretrained: dict
    ids: torch.Tensor
    mask: torch.Tensor
    y: torch.Tensor
    classes: int
    test_ids: torch.Tensor
    test_mask: torch.Tensor
    test_y: torch.Tensor

    @property
    def shown(self):
        """What a training gets of the texts."""
        return self.ids, self.mask, self.y, self.classes


def normal(rng, *shape, scale=1.0):
    """Return normal numbers as float32."""
    return torch.tensor(rng.normal(0, scale, shape), dtype=torch.float32)


def padded(rng, count, words, vocab, least=1):
    """Draw texts of `least` to `words` words, numbers 1 to vocab - 1; return ids and mask."""
    lengths = rng.integers(least, words + 1, count)
    lengths[0] = words
    mask = torch.tensor(np.arange(words)[None] < lengths[:, None])
    ids = torch.tensor(rng.integers(1, vocab, (count, words)))
    return torch.where(mask, ids, 0), mask


@pytest.fixture(scope="session")
def batch():
    """Give ``batch(rng, count, words, vocab)``: ids and mask of drawn texts."""
    return padded


@pytest.fixture(scope="session")
def drawn_encoder():
    """Give ``drawn_encoder(rng, ...)``: an encoder nobody trained, of which all parts matter."""

    def draw(rng, *, vocab=40, width=24, heads=3, ff=40, layers=3, places=32, eps=0.05):
        tensors = {
            "embeddings.word_embeddings.weight": normal(rng, vocab, width),
            "embeddings.position_embeddings.weight": normal(rng, places, width, scale=0.5),
            "embeddings.token_type_embeddings.weight": normal(rng, 2, width, scale=0.5),
        }
        norms = ["embeddings.LayerNorm"]
        for layer in range(layers):
            prefix = f"encoder.layer.{layer}."
            shapes = {
                "attention.self.query": (width, width),
                "attention.self.key": (width, width),
                "attention.self.value": (width, width),
                "attention.output.dense": (width, width),
                "intermediate.dense": (ff, width),
                "output.dense": (width, ff),
            }
            for name, shape in shapes.items():
                scale = 1.5 * shape[1] ** -0.5
                tensors[f"{prefix}{name}.weight"] = normal(rng, *shape, scale=scale)
                tensors[f"{prefix}{name}.bias"] = normal(rng, shape[0], scale=0.3)
            norms += [f"{prefix}attention.output.LayerNorm", f"{prefix}output.LayerNorm"]
        for name in norms:
            tensors[f"{name}.weight"] = 1 + normal(rng, width, scale=0.2)
            tensors[f"{name}.bias"] = normal(rng, width, scale=0.2)
        return {**tensors, "heads": heads, "eps": eps}

    return draw


# ------------------------------------------------------------------------------ our twins


@pytest.fixture(scope="session")
def twin():
    """Give ``twin(module, ours)``: our network, given the parameters of the student's.

    They are float32 here: in which precision a network keeps its numbers is its own affair.
    """

    def make(module, ours):
        shapes = {name: tuple(p.shape) for name, p in ours.named_parameters()}
        found = parameters(as_object(module), shapes=shapes, at_most=LARGEST)
        with torch.no_grad():
            for name, mine in ours.named_parameters():
                theirs = as_tensor(found[name], shapes[name]).detach()
                require(theirs.is_floating_point(), f"{name} holds no real numbers")
                mine.copy_(theirs.float())
        return ours.eval()

    return make


@pytest.fixture(scope="session")
def output_of():
    """Give ``output_of(module, ids, mask, classes)``: logits, checked for form."""

    def ask(module, ids, mask, classes):
        answer = as_tensor(as_object(module)(ids, mask), (len(ids), classes)).detach()
        require(answer.is_floating_point(), "logits must be real numbers")
        return answer.float()

    return ask


@pytest.fixture(scope="session")
def require_twin(output_of):
    """Give ``require_twin(module, ours, ids, mask, classes)``: it is that network, or fail."""

    @torch.no_grad()
    def check(module, ours, ids, mask, classes):
        found, wanted = output_of(module, ids, mask, classes), ours(ids, mask)
        error = float((found - wanted).abs().max())
        require(
            error <= ROUNDING * float(wanted.abs().max()) + 1e-6,
            f"the output is {error:.3g} off that of a network with these parameters; is it "
            "returned in evaluation mode?",
        )

    return check


@pytest.fixture(scope="session")
def dressed():
    """Give ``dressed(module, ours, rng)``: both networks, with the same drawn parameters.

    Where a network starts, most parts of it are so small that no output would tell a wrong one.
    """

    def dress(module, ours, rng):
        with torch.no_grad():
            for name, p in ours.named_parameters():
                if p.ndim > 1:
                    p.copy_(normal(rng, *p.shape, scale=1.5 * p.shape[1] ** -0.5))
                else:
                    p.copy_(
                        normal(rng, *p.shape, scale=0.3) + ("norm" in name and "weight" in name)
                    )
        state = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
        as_object(module).load_state_dict(state)
        return ours.eval()

    return dress


@pytest.fixture(scope="session")
def tuned(reference, twin, require_twin):
    """Give ``tuned(student, few, seed, train)``: our twin of what the student fine-tuned.

    `train` is the student's function; the student's module is compared with the twin on texts that
    it was trained on.
    """

    def make(student, few, seed, train, *more, layers=None):
        with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
            module = as_object(train(few.pretrained, *few.shown, seed, *more))
        encoder = reference.model.Encoder.load(few.pretrained, layers)
        ours = twin(module, reference.model.FineTuned(encoder, few.classes))
        with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
            require_twin(module, ours, few.ids[:16], few.mask[:16], few.classes)
        return ours

    return make


@pytest.fixture(scope="session")
def accuracy(reference):
    """Give ``accuracy(ours, ids, mask, y)``: the share of texts that our network gets right."""

    def score(ours, ids, mask, y):
        return float((reference.study.predict(ours, ids, mask) == y).double().mean())

    return score


# ------------------------------------------------------------------------------ hidden forms


def thinned(ids, mask, rng):
    """Leave out words here and there; the first of a text stays, words close up."""
    keep = mask.numpy() & (rng.random(mask.shape) < KEPT)
    keep[:, 0] = mask[:, 0].numpy()
    order = np.argsort(~keep, axis=1, kind="stable")
    mask = np.take_along_axis(keep, order, axis=1)
    ids = np.where(mask, np.take_along_axis(ids.numpy(), order, axis=1), 0)
    words = int(mask.sum(axis=1).max())
    return torch.tensor(ids[:, :words]), torch.tensor(mask[:, :words])


def shuffled(pretrained, rng):
    """Return the same encoder with its units, heads and inner units in another order."""
    heads = pretrained["heads"]
    width = len(pretrained["embeddings.LayerNorm.weight"])
    unit = torch.tensor(rng.permutation(width))
    inner, rows, made = {}, {}, dict(pretrained)
    for name, tensor in pretrained.items():
        if "." not in name:
            continue
        layer = re.match(r"encoder\.layer\.\d+", name)
        place = layer.group() if layer else ""
        if place not in inner and layer:
            size = len(pretrained[f"{place}.intermediate.dense.weight"])
            inner[place] = torch.tensor(rng.permutation(size))
            blocks = np.arange(width).reshape(heads, -1)[rng.permutation(heads)]
            rows[place] = torch.tensor(blocks.reshape(-1))
        if "LayerNorm" in name or name.endswith("attention.output.dense.bias"):
            made[name] = tensor[unit]
        elif "_embeddings" in name:
            made[name] = tensor[:, unit]
        elif ".self." in name:
            made[name] = tensor[rows[place]]
            if tensor.ndim == 2:
                made[name] = made[name][:, unit]
        elif name.endswith("attention.output.dense.weight"):
            made[name] = tensor[unit][:, rows[place]]
        elif "intermediate" in name:
            made[name] = tensor[inner[place]]
            if tensor.ndim == 2:
                made[name] = made[name][:, unit]
        elif name.endswith("output.dense.weight"):
            made[name] = tensor[unit][:, inner[place]]
        else:
            made[name] = tensor[unit]
    return made


def renumbered(pretrained, ids, mask, rng):
    """Give words new numbers; 0 stays that of padding. Rows of words that are gone go, too."""
    table = "embeddings.word_embeddings.weight"
    words = np.setdiff1d(np.unique(ids[mask].numpy()), [0])
    words = np.append(0, rng.permutation(words))
    number = np.zeros(len(pretrained[table]), dtype=np.int64)
    number[words] = np.arange(len(words))
    made = {**pretrained, table: pretrained[table][torch.tensor(words)]}
    return made, torch.tensor(number)[ids]


@pytest.fixture(scope="session")
def hidden_form(reference):
    """Give ``hidden_form(name, rng, labels, more)``: few labelled texts of a set, hidden.

    `more` texts beside them are given without labels: then it returns (few, ids, mask). `options`
    are those of a stand-in and of its encoder.
    """
    load = reference.datasets.load

    def draw(name, rng, labels, more=0, tested=TESTED, encoder=(), **options):
        texts = load(name, **options)
        lines, y, classes = texts.texts, texts.y, len(texts.classes)
        order = rng.permutation(len(y))
        train = np.concatenate([order[y[order] == c][:labels] for c in range(classes)])
        others = order[~np.isin(order, train)][: tested + more]
        chosen = np.concatenate([train, others])
        file = (
            load("synthetic-encoder", **{"classes": classes, **dict(encoder)})
            if name.startswith("synthetic-")
            else load("minilm", layers=reference.study.LAYERS)
        )
        pretrained, ids, mask = reference.study.numbered(file, [lines[p] for p in chosen])
        ids, mask = thinned(ids, mask, rng)
        pretrained, ids = renumbered(shuffled(pretrained, rng), ids, mask, rng)
        y = torch.tensor(rng.permutation(classes)[y[chosen]])
        n, end = len(train), len(train) + tested
        mixed = torch.tensor(rng.permutation(n))
        few = Few(
            pretrained,
            ids[:n][mixed], mask[:n][mixed], y[:n][mixed], classes,
            ids[n:end], mask[n:end], y[n:end],
        )  # fmt: skip
        return (few, ids[end:], mask[end:]) if more else few

    return draw


@pytest.fixture(scope="session")
def drawn_topics(hidden_form):
    """Give ``drawn_topics(rng, labels)``: texts and an encoder that stand nowhere."""

    def draw(rng, labels, *, classes=4, width=64, layers=3, length=40, texts=150, more=0, **rest):
        seed = int(rng.integers(2**31))
        options = {"classes": classes, "texts": texts, "length": length, "seed": seed}
        encoder = {"classes": classes, "width": width, "layers": layers, "seed": seed}
        return hidden_form(
            "synthetic-topics", rng, labels, more, encoder=encoder, **options, **rest
        )

    return draw


# ------------------------------------------------------------------------------ cells of the study


@pytest.fixture(scope="session")
def small_data(drawn_encoder):
    """Give ``small_data(rng, ...)``: drawn texts as `run_cell` gets them, small enough to be quick.

    Each class favours words of its own, which have something in common in the encoder. Of the
    second half of the test texts half have another's class: whoever scores a part of them, or texts
    that were trained on, gets another number.
    """
    own, vocab, length, width = 12, 100, 12, 32

    def draw(rng, classes=3, pool=30, tested=200):
        y = rng.permutation(np.arange(classes * pool + tested) % classes)
        topics = rng.permutation(np.arange(1, vocab))[: classes * own].reshape(classes, own)
        ids, mask = padded(rng, len(y), length, vocab, least=6)
        told = rng.random(ids.shape) < 0.3
        words = topics[y[:, None], rng.integers(own, size=ids.shape)]
        ids = torch.where(mask & torch.tensor(told), torch.tensor(words), ids)
        sizes = {"vocab": vocab, "width": width, "heads": 4, "ff": 64, "layers": 2, "eps": 1e-12}
        pretrained = drawn_encoder(rng, **sizes)
        for name in pretrained:
            if name.startswith("encoder.") and "LayerNorm" not in name:
                pretrained[name] = 0.2 * pretrained[name]
        for topic in topics:
            table = pretrained["embeddings.word_embeddings.weight"]
            table[torch.tensor(topic)] += normal(rng, width, scale=0.7)
        train = np.concatenate([np.flatnonzero(y == c)[:pool] for c in range(classes)])
        test = np.setdiff1d(np.arange(len(y)), train)
        wrong = test[tested // 2 :][rng.random(tested - tested // 2) < 0.5]
        y[wrong] = (y[wrong] + 1) % classes
        return {
            "pretrained": pretrained,
            "ids": ids,
            "mask": mask,
            "y": torch.tensor(y),
            "train": torch.tensor(train),
            "test": torch.tensor(test),
            "classes": classes,
        }

    return draw


CELL_CPU_SECONDS = 90  # students are told 30: a slow machine must decide nothing


@pytest.fixture(scope="session")
def run_cell():
    """Give ``run_cell(student, method, labels, seed, data)``: a cell of the student's own."""

    def run(student, *cell):
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            metric = as_number(student.study.run_cell(*cell))
        require(0 <= metric <= 1, f"run_cell gave {metric}, accuracies lie in [0, 1]")
        return metric

    return run


@pytest.fixture(scope="session")
def measure_cell(reference, tuned, twin, accuracy):
    """Give ``measure_cell(student, method, labels, seed, data)``: what a cell should say.

    The student's own training makes the network, called as run_cell should call it; our twin of it
    is scored out here.
    """

    def measure(student, method, labels, seed, data):
        ids, mask, y, test = (data[name] for name in ("ids", "mask", "y", "test"))
        rows = reference.study.few_labels(y, data["train"], labels, seed)
        shown = ids[rows], mask[rows], y[rows]
        pretrained = data["pretrained"]
        if method in ("rnn", "transformer"):
            vocab = len(pretrained["embeddings.word_embeddings.weight"])
            with student.budget(cpu_seconds=CELL_CPU_SECONDS):
                module = student.model.from_scratch(method, vocab, *shown, data["classes"], seed)
            make = {
                "rnn": reference.model.RNNClassifier,
                "transformer": reference.model.TransformerClassifier,
            }[method]
            ours = twin(module, make(vocab, data["classes"]))
        else:
            if method == "random_encoder":
                pretrained = reference.study.random_like(pretrained, seed)
            few = Few(pretrained, *shown, data["classes"], *(None,) * 3)
            ours = tuned(student, few, seed, student.model.finetune)
        return accuracy(ours, ids[test], mask[test], y[test])

    return measure


@pytest.fixture(scope="session")
def relabelled():
    """Give ``relabelled(data, shift)``: the same data, the classes of its test turned round."""

    def turn(data, shift):
        y = data["y"].clone()
        y[data["test"]] = (y[data["test"]] + shift) % data["classes"]
        return {**data, "y": y}

    return turn
