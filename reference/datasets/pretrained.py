"""A BERT encoder that somebody trained: its weights by their published names, and its words.

The names are those of BERT's authors as PyTorch files have them, such as
``encoder.layer.0.attention.self.query.weight``. Nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kinds import DataError

EMBEDDINGS = ("word_embeddings", "position_embeddings", "token_type_embeddings")
# The modules of a layer and their shapes, in widths of a token and of the inner network.
LAYER = {
    "attention.self.query": "dd",
    "attention.self.key": "dd",
    "attention.self.value": "dd",
    "attention.output.dense": "dd",
    "attention.output.LayerNorm": "d",
    "intermediate.dense": "fd",
    "output.dense": "df",
    "output.LayerNorm": "d",
}


@dataclass(frozen=True)
class Pretrained:
    """The weights of an encoder of L layers, d wide, for V words and texts of T words."""

    name: str
    tensors: dict[str, np.ndarray]  # float32, by their published names
    heads: int  # of each layer; d is a multiple of it
    eps: float  # added to variances where layers are normalised
    tokenizer: str  # JSON of the library `tokenizers`: how a text becomes numbers of words
    synthetic: bool  # True for a stand-in: figures from it say nothing about real encoders

    @property
    def layers(self) -> int:
        """The number of layers."""
        prefixes = {name.split(".")[2] for name in self.tensors if name.startswith("encoder.")}
        return len(prefixes)

    @property
    def width(self) -> int:
        """The width d of what stands for a word."""
        return self.tensors["embeddings.LayerNorm.weight"].shape[0]

    def __post_init__(self) -> None:
        """Check it. Raises DataError naming what is wrong."""
        shapes = {name: tensor.shape for name, tensor in self.tensors.items()}
        for name, shape in self._shapes().items():
            if shapes.get(name) != shape:
                raise self._error(f"{name} must be of shape {shape}, it is {shapes.get(name)}")
        strange = shapes.keys() - self._shapes().keys()
        if strange:
            raise self._error(f"it has no place for {min(strange)}")
        for name, tensor in self.tensors.items():
            if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
                raise self._error(f"{name} must hold finite numbers of 32 bits")
        if self.heads < 1 or self.width % self.heads or not 0 < self.eps < 1:
            raise self._error(f"{self.heads} heads of {self.width} numbers, eps {self.eps}")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape that each tensor must have, as the first tensors give the sizes."""
        (words, width), (places, _), (kinds, _) = (
            self._matrix(f"embeddings.{name}.weight") for name in EMBEDDINGS
        )
        rows = dict(zip(EMBEDDINGS, (words, places, kinds), strict=True))
        shapes = {f"embeddings.{name}.weight": (rows[name], width) for name in EMBEDDINGS}
        shapes |= {f"embeddings.LayerNorm.{part}": (width,) for part in ("weight", "bias")}
        inner, _ = self._matrix("encoder.layer.0.intermediate.dense.weight")
        sizes = {"d": width, "f": inner}
        for layer in range(self.layers):
            for module, letters in LAYER.items():
                shape = tuple(sizes[letter] for letter in letters)
                shapes[f"encoder.layer.{layer}.{module}.weight"] = shape
                shapes[f"encoder.layer.{layer}.{module}.bias"] = shape[:1]
        return shapes

    def _matrix(self, name: str) -> tuple[int, int]:
        tensor = self.tensors.get(name)
        if tensor is None or tensor.ndim != 2 or not tensor.size:
            raise self._error(f"{name} must be a matrix")
        return tensor.shape[0], tensor.shape[1]

    def _error(self, why: str) -> DataError:
        return DataError(f'the encoder "{self.name}" is damaged: {why}')
