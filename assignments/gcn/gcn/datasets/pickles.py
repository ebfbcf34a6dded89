"""Read the pickles that publishers ship without running anything that they name.

A pickle is a small program. This reader first looks at every instruction and refuses those that
plain arrays, sparse matrices, dicts and lists do not need; then every global becomes a recorder of
our own, so neither NumPy nor SciPy is called with what the file says. The pickles were written by
Python 2, hence bytes where one would expect text.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .kinds import DataError

INSTRUCTIONS = frozenset(
    "PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 BINFLOAT BINSTRING "
    "SHORT_BINSTRING EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE "
    "TUPLE1 TUPLE2 TUPLE3 GLOBAL REDUCE NEWOBJ BUILD BINPUT LONG_BINPUT BINGET LONG_BINGET".split()
)
ITEM_TYPES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8".split())


@dataclass(frozen=True)
class Csr:
    """A sparse matrix in compressed rows, checked: row i holds entries indptr[i]:indptr[i+1]."""

    data: np.ndarray  # [nnz]
    indices: np.ndarray  # int64 [nnz], columns
    indptr: np.ndarray  # int64 [rows + 1]
    shape: tuple[int, int]

    def dense(self) -> np.ndarray:
        """Return it as float32 [rows, columns]; entries stored twice add up."""
        result = np.zeros(self.shape, dtype=np.float32)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        with np.errstate(over="ignore", invalid="ignore"):  # the set's own check finds infinities
            np.add.at(result, (rows, self.indices), self.data.astype(np.float32))
        return result


def read_pickle(data: bytes, path: Path | str) -> object:
    """Return what the pickle holds: dict, list, tuple, numbers, bytes, np.ndarray, Csr.

    `path` is only for messages. Raises DataError naming the file and what it may not hold.
    """
    _refuse_instructions(data, path)
    try:
        return _plain(_Reader(io.BytesIO(data), path).load())
    except DataError:
        raise
    except Exception as error:  # a damaged pickle makes the reader raise nearly anything
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _damaged(path: Path | str, why: str) -> DataError:
    return DataError(f"{path} is damaged ({why}): delete it and fetch it again")


def _refuse_instructions(data: bytes, path: Path | str) -> None:
    try:
        for instruction, argument, _ in pickletools.genops(data):
            if instruction.name not in INSTRUCTIONS:
                raise DataError(f"{path} holds more than data (pickle {instruction.name}): refused")
            if "PUT" in instruction.name and argument > len(data):
                raise _damaged(path, "a place that it never needs")  # would take the memory for it
    except DataError:
        raise
    except Exception as error:
        raise _damaged(path, str(error)) from error


class _Type:
    """Stands for a numpy.dtype: remembers its code (``f4``) and its byte order."""

    def __init__(self, code: bytes, *_flags: object) -> None:
        self.code = code.decode("ascii")
        self.order = "="

    def __setstate__(self, state: tuple[object, ...]) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else "?"

    def numpy(self) -> np.dtype:
        if self.code not in ITEM_TYPES or self.order not in ("<", ">", "|", "="):
            raise ValueError(f"array of {self.order}{self.code}")
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """Stands for a numpy.ndarray: remembers its state (version, shape, type, Fortran, bytes)."""

    def __init__(self, *_arguments: object) -> None:
        self.state: tuple[object, ...] = ()

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.state = state

    def numpy(self) -> np.ndarray:
        _version, shape, kind, fortran, raw = self.state
        if not isinstance(kind, _Type) or not isinstance(raw, bytes):
            raise ValueError("array of something else than numbers")
        lengths = [_length(length) for length in shape]
        dtype = kind.numpy()
        if math.prod(lengths) * dtype.itemsize != len(raw):
            raise ValueError(f"array of shape {lengths} with {len(raw)} bytes")
        array = np.frombuffer(raw, dtype=dtype).astype(dtype.newbyteorder("="))
        return array.reshape(lengths, order="F" if fortran else "C")


class _Sparse:
    """Stands for a scipy.sparse.csr_matrix: remembers its attributes."""

    def __init__(self) -> None:
        self.state: dict[bytes, object] = {}

    def __setstate__(self, state: dict[bytes, object]) -> None:
        self.state = state

    def csr(self) -> Csr:
        parts = [self.state[key] for key in (b"data", b"indices", b"indptr")]
        if not all(isinstance(part, _Array) for part in parts):
            raise ValueError("sparse matrix without its arrays")
        data, indices, indptr = (part.numpy() for part in parts)
        if indices.dtype.kind not in "iu" or indptr.dtype.kind not in "iu":
            raise ValueError("sparse matrix with indices that are no whole numbers")
        rows, columns = (_length(length) for length in self.state[b"_shape"])
        matrix = Csr(data, indices.astype(np.int64), indptr.astype(np.int64), (rows, columns))
        if not _is_sound(matrix):
            raise ValueError("sparse matrix with indices outside it")
        return matrix


def _is_sound(matrix: Csr) -> bool:
    data, indices, indptr, (rows, columns) = (
        matrix.data, matrix.indices, matrix.indptr, matrix.shape,
    )  # fmt: skip
    if not (data.ndim == indices.ndim == indptr.ndim == 1 and len(data) == len(indices)):
        return False
    if len(indptr) != rows + 1 or indptr[0] != 0 or indptr[-1] != len(data):
        return False
    inside = len(indices) == 0 or (indices.min() >= 0 and indices.max() < columns)
    return bool(inside and (np.diff(indptr) >= 0).all())


def _length(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no length")
    return value


def _new_dict(_factory: object = None) -> dict[object, object]:
    return {}


GLOBALS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("scipy.sparse.csr", "csr_matrix"): _Sparse,
    ("collections", "defaultdict"): _new_dict,
    ("__builtin__", "list"): "list",  # named by a defaultdict, never called
}


class _Reader(pickle.Unpickler):
    """An unpickler for which GLOBALS are the only globals in the world."""

    def __init__(self, file: io.BytesIO, path: Path | str) -> None:
        super().__init__(file, encoding="bytes")
        self._path = path

    def find_class(self, module: str, name: str) -> object:
        """Return our recorder for a global. Raises DataError for one that data do not need."""
        try:
            return GLOBALS[module, name]
        except KeyError:
            wanted = f"{module}.{name}"
            raise DataError(
                f"{self._path} holds more than data (it names {wanted}): refused"
            ) from None


def _plain(value: object) -> object:
    """Replace the recorders at the top and in a dict's values: the files nest no deeper."""
    if isinstance(value, dict):
        return {key: _plain_leaf(item) for key, item in value.items()}
    return _plain_leaf(value)


def _plain_leaf(value: object) -> object:
    if isinstance(value, _Array):
        return value.numpy()
    if isinstance(value, _Sparse):
        return value.csr()
    return value
