from __future__ import annotations

import torch


def out_size(n, k, padding=0, stride=1, dilation=1):
    if (span := n + 2 * padding - dilation * (k - 1)) < 1:
        raise ValueError((n, k, padding, dilation))
    return (span - 1) // stride + 1


_COUNT = {"conv": lambda i, o, k: (i * k * k + 1) * o, "linear": lambda i, o: (i + 1) * o, "norm": lambda c: 2 * c}


def parameter_count(layers):
    try:
        return [_COUNT[kind](*a) for kind, *a in layers]
    except KeyError as e:
        raise ValueError(*e.args) from e


def _pad(x, p):
    if not p:
        return x
    y = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * p)
    y[..., p:-p, p:-p] = x
    return y


def _cut(x, kh, kw, s, d):
    """Windows [N, C, H', W', kh, kw] of a padded image: a view."""
    out_size(x.shape[2], kh, 0, s, d), out_size(x.shape[3], kw, 0, s, d)
    return x.unfold(2, d * (kh - 1) + 1, s).unfold(3, d * (kw - 1) + 1, s)[..., ::d, ::d]


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1):
    y = torch.einsum("ncijuv,ocuv->noij", _cut(_pad(x, padding), *w.shape[2:], stride, dilation), w)
    return y if b is None else y + b[:, None, None]


def conv2d_backward(dy, x, w, stride=1, padding=0, dilation=1):
    p = _pad(x, padding)
    # where each entry of each window lies, numbered like the padded image
    at = _cut(torch.arange(p.shape[2] * p.shape[3], device=x.device).view(1, 1, *p.shape[2:]), *w.shape[2:], stride, dilation)
    g = torch.einsum("noij,ocuv->ncijuv", dy, w).flatten(2)
    dp = x.new_zeros(*x.shape[:2], p[0, 0].numel()).index_add(2, at.flatten(), g).view_as(p)
    dw = torch.einsum("noij,ncijuv->ocuv", dy, _cut(p, *w.shape[2:], stride, dilation))
    return dp[..., padding : padding + x.shape[2], padding : padding + x.shape[3]], dw, torch.einsum("noij->o", dy)


def maxpool2d(x, k, stride=None):
    return _cut(x, k, k, stride or k, 1).flatten(-2).max(-1)[0]


def maxpool2d_backward(dy, x, k, stride=None):
    win = _cut(x, k, k, s := stride or k, 1).flatten(-2)
    first = win.eq(win.amax(-1, keepdim=True)).cumsum(-1).eq(0).sum(-1)  # how many stand before the first largest
    i, j = torch.meshgrid(*(torch.arange(m, device=x.device) * s for m in dy.shape[2:]), indexing="ij")
    at = (i + first // k) * x.shape[3] + j + first % k
    return torch.zeros_like(x).flatten(2).scatter_add(2, at.flatten(2), dy.flatten(2)).view_as(x)


_v = lambda t, x: t.view(-1, *[1] * (x.ndim - 2))
_m = lambda x: x.transpose(0, 1).flatten(1)


def batchnorm(x, gamma, beta, running, training, momentum=0.1, eps=1e-5):
    if training and (m := x.numel() // x.shape[1]) == 1:
        raise ValueError("m = 1")
    mu, var = (_m(x).mean(1), _m(x).var(1, correction=0)) if training else running
    y = (x - _v(mu, x)) * _v(gamma * (var + eps).rsqrt(), x) + _v(beta, x)
    return y, tuple(torch.lerp(r, s, momentum) for r, s in zip(running, (mu, var * m / (m - 1)))) if training else running


def batchnorm_backward(dy, x, gamma, eps=1e-5):
    var, mu = torch.var_mean(_m(x), 1, correction=0)
    xh = (x - _v(mu, x)) * _v(r := (var + eps).rsqrt(), x)
    db, dg, m = _m(dy).sum(1), _m(dy * xh).sum(1), x.numel() // x.shape[1]
    return _v(gamma * r, x) * (dy - _v(db / m, x) - xh * _v(dg / m, x)), dg, db


def dropout(x, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(p)
    return x if not training else x * torch.empty_like(x).bernoulli_(1 - p, generator=generator) / max(1 - p, 1e-9)


def smoothed_cross_entropy(logits, labels, eps=0.0):
    n, k = logits.shape
    q = torch.eye(k, dtype=logits.dtype, device=logits.device)[labels] * (1 - eps - eps / (k - 1)) + eps / (k - 1)
    lp = logits.log_softmax(1)
    return -torch.einsum("nk,nk->", q, lp) / n, (lp.exp() - q) / n
