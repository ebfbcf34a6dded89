"""Which operators do the same work: forbidding one of a family forbids the family's other names.

A course asks for a convolution by hand and names ``torch.nn.functional.conv2d``; the layer
``torch.nn.Conv2d`` and ``torch.ops.aten.convolution`` are other doors to it. Names are written as
`canonical` writes them. A name that is in no family stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_F = "torch.nn.functional."
_ATEN = "torch.ops.aten."


def _family(
    *, layers: str = "", functions: str = "", operators: str = "", kernels: str = ""
) -> frozenset[str]:
    """Return one family: layers of torch.nn, functions of F and of torch, kernels of aten.

    `operators` are functions of torch that aten knows by the same name.
    """
    names = [f"torch.nn.{name}" for name in layers.split()]
    names += [f"{_F}{name}" for name in functions.split()]
    names += [f"torch.{name}" for name in operators.split()]
    names += [f"{_ATEN}{name}" for name in (operators + " " + kernels).split()]
    return frozenset(names)


_DIMENSIONS = ("1d", "2d", "3d")


def _each(*stems: str) -> str:
    return " ".join(stem + dimension for stem in stems for dimension in _DIMENSIONS)


FAMILIES: tuple[frozenset[str], ...] = (
    _family(
        layers=_each("Conv", "ConvTranspose", "LazyConv", "LazyConvTranspose")
        + " grad.conv1d_input grad.conv2d_input grad.conv3d_input"
        + " grad.conv1d_weight grad.conv2d_weight grad.conv3d_weight",
        functions=_each("conv", "conv_transpose") + " conv_tbc thnn_conv2d slow_conv3d",
        operators=_each("conv") + " conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d"
        " convolution _convolution mkldnn_convolution",
        kernels="convolution_backward convolution_overrideable _slow_conv2d_forward "
        "slow_conv3d_forward slow_conv_transpose2d slow_conv_transpose3d thnn_conv2d",
    ),
    _family(
        layers="LSTM LSTMCell",
        operators="lstm lstm_cell mkldnn_rnn_layer",
        kernels="_thnn_fused_lstm_cell",
    ),
    _family(layers="GRU GRUCell", operators="gru gru_cell", kernels="_thnn_fused_gru_cell"),
    _family(
        layers="RNN RNNCell",
        operators="rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell",
    ),
    _family(
        layers="MultiheadAttention Transformer TransformerEncoder TransformerEncoderLayer "
        "TransformerDecoder TransformerDecoderLayer attention.flex_attention.flex_attention",
        functions="scaled_dot_product_attention multi_head_attention_forward",
        operators="_native_multi_head_attention _transformer_encoder_layer_fwd",
        kernels="scaled_dot_product_attention _scaled_dot_product_attention_math "
        "_scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu "
        "_scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention",
    ),
    _family(
        layers=_each("BatchNorm", "LazyBatchNorm") + " SyncBatchNorm",
        functions="batch_norm",
        operators="batch_norm native_batch_norm",
        kernels="_native_batch_norm_legit",
    ),
    _family(layers="LayerNorm", functions="layer_norm", operators="layer_norm native_layer_norm"),
    _family(layers="GroupNorm", functions="group_norm", operators="group_norm native_group_norm"),
    _family(
        layers=_each("MaxPool", "AdaptiveMaxPool"),
        functions=_each("max_pool", "adaptive_max_pool")
        + " max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices",
        operators=_each("max_pool") + " max_pool1d_with_indices",
        kernels="max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool2d",
    ),
    _family(
        layers=_each("AvgPool", "AdaptiveAvgPool"),
        functions=_each("avg_pool", "adaptive_avg_pool"),
        operators="avg_pool1d adaptive_avg_pool1d",
        kernels="avg_pool2d avg_pool3d adaptive_avg_pool2d adaptive_avg_pool3d "
        "_adaptive_avg_pool2d",
    ),
    _family(
        layers="Linear LazyLinear Bilinear",
        functions="linear bilinear",
        operators="bilinear",
        kernels="linear",
    ),
    _family(
        layers="Embedding EmbeddingBag",
        functions="embedding embedding_bag",
        operators="embedding embedding_bag",
    ),
    _family(
        layers="Softmax LogSoftmax Softmin Softmax2d",
        functions="softmax log_softmax softmin",
        operators="softmax log_softmax _softmax _log_softmax",
    )
    | {"torch.Tensor.softmax", "torch.Tensor.log_softmax", "torch.special.softmax"}
    | {"torch.special.log_softmax"},
    _family(
        layers="CrossEntropyLoss NLLLoss",
        functions="cross_entropy nll_loss",
        kernels="cross_entropy_loss nll_loss nll_loss_forward",
    ),
    _family(layers="Dropout", functions="dropout", operators="dropout native_dropout"),
)

# How torch's own modules call each other: other spellings of one name. The first that fits holds.
SPELLINGS = (
    (r"torch\.(?:\w+\.)*torch\.", "torch."),  # functional.torch is torch
    (r"torch\.(?:\w+\.)*F\.", _F),
    (r"torch\.nn\.modules\.(?:\w+\.)?([A-Z]\w*)", r"torch.nn.\1"),
    (r"torch\.(?:_VF|_C\._VariableFunctions|functional)\.", "torch."),
    (r"torch\._C\._nn\.", _F),
)

_SHORT = {"F": "torch.nn.functional", "nn": "torch.nn", "np": "numpy", "functional": _F[:-1]}


def canonical(name: str) -> str:
    """Return the one spelling of a dotted name that families and findings use."""
    for pattern, spelling in SPELLINGS:
        name = re.sub(f"^{pattern}", spelling, name)
    return name


def same_work(names: Iterable[str]) -> tuple[str, ...]:
    """Return these names, canonical, and every other name of their families, sorted."""
    wanted = {canonical(name) for name in names}
    families = (family for family in FAMILIES if family & wanted)
    return tuple(sorted(wanted.union(*families)))


def full_name(short: str) -> str | None:
    """Guess what a shorthand such as ``F.conv2d`` or ``Conv2d`` stands for; None if no idea."""
    first, _, rest = short.partition(".")
    if rest and first in _SHORT:
        return f"{_SHORT[first]}.{rest}"
    if not rest:
        fitting = sorted(n for family in FAMILIES for n in family if n.endswith(f".{short}"))
        return min(fitting, key=lambda name: (_ATEN in name, name.count("."), name), default=None)
    return None
