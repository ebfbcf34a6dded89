"""Turn image files into arrays of one size, with Pillow."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .kinds import DataError

FORMATS = ("JPEG", "PNG", "BMP", "PPM", "WEBP")
LARGEST_SIDE = 8192  # pixels; checked before anything is decoded


def decode(data: bytes, where: str, size: int | None = None) -> np.ndarray:
    """Return an image as uint8 [3, H, W], greyscale ones with three equal channels.

    With `size` it is scaled to that many pixels a side by averaging boxes of pixels.
    `where` is only for messages. Raises DataError if it is no sound image.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if max(image.size) > LARGEST_SIDE:
                raise ValueError(f"{image.size[0]} x {image.size[1]} pixels are too many")
            colour = image.convert("RGB")
    except Exception as error:  # Pillow's readers raise nearly anything on damaged files
        raise DataError(f"{where} is no sound image ({error}): fetch the set again") from error
    return _channels(colour, size)


def scale(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a picture uint8 [C, H, W] as uint8 [C, size, size], each pixel a mean over its box.

    C is 3, or 1 for grey.
    """
    channels_last = np.ascontiguousarray(picture.transpose(1, 2, 0))
    grey = picture.shape[0] == 1
    return _channels(Image.fromarray(channels_last[:, :, 0] if grey else channels_last), size)


def _channels(image: Image.Image, size: int | None) -> np.ndarray:
    if size is not None and not 1 <= size <= LARGEST_SIDE:
        raise ValueError(f"size={size}: give pixels from 1 to {LARGEST_SIDE}")
    if size is not None and image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BOX)
    return np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)


def stack(pictures: list[np.ndarray], where: str) -> np.ndarray:
    """Return images of one shape [C, H, W] as one array [N, C, H, W].

    Raises DataError if there are none or their sizes differ.
    """
    shapes = {picture.shape for picture in pictures}
    if len(shapes) != 1:
        found = ", ".join(f"{width}x{height}" for _, height, width in sorted(shapes)) or "none"
        raise DataError(f"{where}: images must be of one size (found: {found}): give `size`")
    return np.stack(pictures)
