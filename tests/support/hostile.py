"""Valid files of every kind that a visitor may send, and ways to damage them."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nayer.common.safetensors_io import read_tensors
from nayer.data.image_decoding import decode
from nayer.data.image_folders import Limits, in_zip
from nayer.errors import NayerError
from nayer.networks.classifiers import build
from nayer.networks.specs import ModelSpec
from nayer.teachers.load import weights_of

TIGHT = Limits(members=50, picture_bytes=1 << 16, bytes_in_all=1 << 18)
SPEC = ModelSpec(architecture="lenet-1", channels=1, size=8, classes=2, mean=(0.5,), std=(0.25,))
NUMBERS = [b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0", b"\0" * 8, b"\xff" * 8]


def picture(format: str, mode: str = "RGB", side: int = 8) -> bytes:
    stream = io.BytesIO()
    noise = random.Random(0).randbytes(side * side * len(mode))
    Image.frombytes(mode, (side, side), noise).save(stream, format)
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
            made.writestr(name, picture("PNG"))
    return stream.getvalue()


def wanted() -> dict[str, Tensor]:
    return {name: tensor for name, tensor in build(SPEC).state_dict().items() if tensor.is_floating_point()}


def readers() -> dict[str, tuple[list[bytes], Callable[[bytes], object]]]:
    """Kind -> valid files, and the function that reads them here."""
    shapes = wanted()
    pictures = [picture(kind, mode) for kind, mode in [("PNG", "RGB"), ("PNG", "L"), ("JPEG", "RGB"), ("BMP", "RGB")]]
    return {
        "safetensors": ([weights_of(build(SPEC))], lambda content: read_tensors(content, shapes)),
        "zip": ([archive()], lambda content: in_zip(content, "mine.zip", TIGHT)),
        "picture": ([*pictures, picture("WEBP")], lambda content: decode(content, "1.png", 3, 8)),
    }


def spoiled(rng: random.Random, content: bytes) -> bytes:
    """`content` with one to four errors, mostly near its beginning or its end, where the structure is."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        if not found:
            break
        near = rng.choice([min(64, len(found)), min(400, len(found)), len(found)])
        place = rng.randrange(near) if rng.random() < 0.6 else len(found) - 1 - rng.randrange(near)
        match rng.randrange(6):
            case 0:
                found[place] ^= 1 << rng.randrange(8)
            case 1:
                found[place] = rng.randrange(256)
            case 2:
                number = rng.choice(NUMBERS)
                found[place : place + len(number)] = number
            case 3:
                del found[place : place + rng.randint(1, 40)]
            case 4:
                found[place:place] = found[place : place + rng.randint(1, 40)]
            case 5:
                del found[place:]
    return bytes(found)


def outcome(read: Callable[[bytes], object], content: bytes) -> str:
    """`read` or `refused`. Any other error is a defect and goes to the caller."""
    try:
        read(content)
    except NayerError as refusal:
        sentence = str(refusal)
        assert sentence.isprintable(), sentence
        assert len(sentence) <= 500, sentence
        return "refused"
    return "read"


def framed(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def finite(content: bytes) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in read_tensors(content, wanted()).values())


def put_no_file(path: Path, kind: str) -> None:
    """Puts at `path` an unreadable file: a FIFO, an `endless` one, a folder, or otherwise a sparse terabyte."""
    match kind:
        case "FIFO":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case _:
            with path.open("wb") as file:
                file.truncate(1 << 40)  # bytes
