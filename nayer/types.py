"""Names for the types of arrays that leave the core."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # (n, c, h, w)
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Shorts = NDArray[np.uint16]  # classes of many images
