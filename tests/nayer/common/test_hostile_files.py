"""Files that want to harm: each is refused in one sentence before it costs anything, and none is ever extracted."""

import base64
import contextlib
import io
import json
import pickle
import random
import signal
import struct
import subprocess
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from safetensors.torch import save

from nayer.common.safetensors_io import read_tensors
from nayer.data.image_decoding import decode
from nayer.data.image_folders import Limits, in_zip, pictures_in
from nayer.data.parquet import in_parquet
from nayer.data.parquet_pages import largest_chunk
from nayer.data.parquet_rows import rows_here
from nayer.errors import AssetError
from nayer.networks.classifiers import build
from nayer.teachers.load import weights_of
from nayer.teachers.upload_loading import opened, remarks
from tests.support.hostile import SPEC, TIGHT, archive, framed, outcome, picture, readers, spoiled, wanted
from tests.support.uploaded import drawn, uploaded

MUTATIONS = {"safetensors": 3000, "zip": 600, "picture": 1200}  # `python -m tests.reliability 4` tries far more


@pytest.mark.parametrize("kind", MUTATIONS)
def test_spoiled_files_are_read_or_refused_and_nothing_else(kind):
    sound, read = readers()[kind]
    assert {outcome(read, content) for content in sound} == {"read"}
    rng = random.Random(7)
    outcomes = [outcome(read, spoiled(rng, rng.choice(sound))) for _ in range(MUTATIONS[kind])]
    assert outcomes.count("refused") > MUTATIONS[kind] // 3


# --- A: a teacher's weights ------------------------------------------------------------------------------------


class Marking:
    """What a pickle runs when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_is_never_loaded_whatever_it_is_called(tmp_path):
    torch.save({"weights": Marking(tmp_path / "ran")}, tmp_path / "model.safetensors")
    for content in ((tmp_path / "model.safetensors").read_bytes(), pickle.dumps(Marking(tmp_path / "ran"))):
        with pytest.raises(AssetError, match="not a safetensors file"):
            read_tensors(content, wanted())
    assert not (tmp_path / "ran").exists()


def test_a_file_cut_at_every_sixteenth_is_refused():
    content = save(wanted())
    for part in range(16):
        with pytest.raises(AssetError):
            read_tensors(content[: len(content) * part // 16], wanted())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 99 << 20) + b"{}",
        framed(b"{}" + b" " * (2 << 20)),
        framed(b'{"a":{},"a":{}}'),
        framed(b"[" * 100_000),
        framed(json.dumps({f"t{i}": {} for i in range(5_000)}).encode()),
    ],
    ids=["nothing", "7 bytes", "2^63", "beyond the file", "padded", "twice", "deep", "5,000 tensors"],
)
def test_a_header_that_cannot_be_right_is_refused_before_it_is_parsed(content):
    tracemalloc.start()
    with pytest.raises(AssetError, match=r"^model\.safetensors (is not a safetensors file|contains 5,000 tensors)"):
        read_tensors(content, wanted())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 << 20


def rewritten(change):
    """The sound file with another header."""
    content = save(wanted())
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header, next(name for name in header if name != "__metadata__"))
    return framed(json.dumps(header).encode(), content[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda header, name: header[name].update(data_offsets=[0, 2**63]),
        lambda header, name: header[name].update(data_offsets=[-4, 0]),
        lambda header, name: header[name].update(data_offsets=[8, 4]),
        lambda header, name: header[name].update(data_offsets=[0, 4]),
        lambda header, name: header[name].update(shape=[2**40, 2**40]),
        lambda header, name: header[name].update(shape=[-1]),
        lambda header, name: header[name].update(shape=None),
        lambda header, name: header[name].pop("dtype"),
        lambda header, name: header[name].update(dtype="F8_E4M3"),
        lambda header, name: header[name].update(dtype=["F32"]),
        lambda header, name: header[name].update(dtype="F\x7f2"),  # found by row 4 of the figures
        lambda header, name: header[name].update(shape="\x1b[31m"),
        lambda header, name: header.pop(name),
        lambda header, name: header.update(more=header[name]),
        lambda header, name: header.update({name: 7}),
    ],
)
def test_holes_overlaps_and_other_shapes_are_refused(change):
    with pytest.raises(AssetError, match=r"^model\.safetensors ") as refusal:
        read_tensors(rewritten(change), wanted())
    assert str(refusal.value).isprintable()


def test_at_most_five_differences_are_named():
    with pytest.raises(AssetError) as refusal:
        read_tensors(save({f"t{i}": torch.zeros(1) for i in range(50)}), wanted())
    assert str(refusal.value).count(",") == 4


def test_trailing_bytes_are_refused():
    with pytest.raises(AssetError, match="damaged"):
        read_tensors(save(wanted()) + b"more", wanted())


@pytest.mark.parametrize(
    "content",
    [b"\x89HDF\r\n\x1a\n" + b"\0" * 200, b"PK\3\4" + b"\0" * 200, b"\x1f\x8b\x08" + b"\0" * 200, b"GGUF" + b"\0" * 200],
    ids=["h5", "npz or pt", "gzip", "gguf"],
)
def test_other_formats_of_weights_are_told_by_their_bytes_whatever_they_are_called(content):
    with pytest.raises(AssetError, match=r"^model\.safetensors is not a safetensors file$"):
        read_tensors(content, wanted())


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.float8_e4m3fn])
def test_other_kinds_of_numbers_are_refused_and_named(kind):
    name = next(iter(wanted()))
    with pytest.raises(AssetError, match=rf"{name} has the type \w+, expected F32"):
        read_tensors(save({**wanted(), name: wanted()[name].to(kind)}), wanted())


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
        (-float("inf"), "not finite"),
        (1e38, "values beyond"),
    ],
)
def test_weights_that_cannot_be_computed_with_are_refused_wherever_they_stand(value, sentence):
    for name, tensor in wanted().items():
        spoilt = tensor.clone()
        spoilt.view(-1)[-1] = value
        with pytest.raises(AssetError, match=rf"^{name} (is|contains) {sentence}"):
            read_tensors(save({**wanted(), name: spoilt}), wanted())


def test_weights_that_are_written_come_back_bit_by_bit_and_say_nothing_of_where_they_were():
    tensors = {name: torch.randn_like(tensor).abs() for name, tensor in wanted().items()}
    network = build(SPEC)
    network.load_state_dict(tensors, strict=False)
    content = weights_of(network)
    assert all(torch.equal(tensors[name], value) for name, value in read_tensors(content, wanted()).items())
    (length,) = struct.unpack("<Q", content[:8])
    assert json.loads(content[8 : 8 + length]).keys() == tensors.keys()  # no metadata


# --- B: images -------------------------------------------------------------------------------------------------


def zipped(members, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        *("../cat/1.png", "/cat/1.png", "cat/../../1.png", "C:/cat/1.png"),
        *("C:\\cat\\1.png", "\\\\host\\cat\\1.png"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_and_nothing_is_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssetError, match=r"^mine\.zip contains the name .*, which points outside the archive"):
        in_zip(zipped([(name, picture("PNG"))]), "mine.zip", TIGHT)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_told_so():
    sentence = r"^mine\.zip contains a name of 60,008 characters, 'cat/x{36}'; use at most 255\.$"
    with pytest.raises(AssetError, match=sentence):
        in_zip(zipped([("cat/" + "x" * 60_000 + ".png", picture("PNG"))]), "mine.zip", TIGHT)


def test_a_member_without_a_name_is_refused():
    """Found by row 4 of the figures: the length of a name was overwritten with 0, on which zipfile trips."""
    content = bytearray(zipped([("cat/1.png", picture("PNG")), ("cat/2.png", picture("PNG"))]))
    second = content.rindex(b"PK\1\2")
    length, comment = second + 28, second + 32  # of the name and of what is said of it, two bytes each
    content[comment : comment + 2], content[length : length + 2] = content[length : length + 2], b"\0\0"
    with pytest.raises(AssetError, match=r"^mine\.zip contains the name '', which points outside the archive"):
        in_zip(bytes(content), "mine.zip", TIGHT)


def test_links_hidden_files_and_archives_within_are_passed_over():
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = 0o120777 << 16
    members = [(link, b"/etc/passwd"), ("__MACOSX/cat/1.png", b""), ("cat/.DS_Store", b""), ("cat/._1.png", b"")]
    members += [("cat/more.zip", archive()), ("1.png", b""), ("cat/2.txt", b""), ("cat/1.png", picture("PNG"))]
    assert [found.name for found in in_zip(zipped(members), "mine.zip", TIGHT)] == ["cat/1.png"]


def test_a_bomb_is_refused_after_as_many_bytes_as_may_be_read():
    bomb = zipped([("cat/1.png", b"\0" * (60 << 20))])
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(AssetError, match=r"^mine\.zip contains an image, 'cat/1\.png', of more than 0 MB"):
        in_zip(bomb, "mine.zip", TIGHT)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 << 20
    many = zipped([(f"cat/{i}.png", b"\0" * 60_000) for i in range(40)])
    with pytest.raises(AssetError, match=r"^mine\.zip contains more than 0 MB of images"):
        in_zip(many, "mine.zip", TIGHT)


def test_sizes_that_lie_change_nothing():
    content = zipped([("cat/1.png", b"\0" * 1_000_000)])
    for place in (content.index(b"PK\1\2") + 24, 22):  # the size unpacked, in the list of contents and before the data
        content = content[:place] + struct.pack("<I", 10) + content[place + 4 :]
    with pytest.raises(AssetError, match=r"^mine\.zip "):
        in_zip(content, "mine.zip", TIGHT)


def test_too_many_files_are_refused_before_they_are_listed():
    content = zipped([(f"cat/{i}.png", b"") for i in range(51)])
    with pytest.raises(AssetError, match=r"^mine\.zip contains 51 files; at most 50 are read\.$"):
        in_zip(content, "mine.zip", TIGHT)
    entry = content[content.index(b"PK\1\2") : content.index(b"PK\1\2") + 60]
    entries = entry * 100_000
    tracemalloc.start()
    with pytest.raises(AssetError, match=r"^mine\.zip contains many more than 50 files"):
        in_zip(entries, "mine.zip", TIGHT)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


def test_encrypted_odd_damaged_and_double_members_are_refused():
    sound = zipped([("cat/1.png", picture("PNG"))])
    encrypted = bytearray(sound)
    encrypted[sound.index(b"PK\1\2") + 8] |= 1
    crc = bytearray(sound)
    crc[sound.index(b"PK\1\2") + 16] ^= 1
    with pytest.warns(UserWarning, match="Duplicate name"):
        double = zipped([("cat/1.png", b"1"), ("cat/1.png", b"2")])
    told = {
        "is encrypted": bytes(encrypted),
        "uses an unusual compression": zipped([("cat/1.png", b"1")], zipfile.ZIP_LZMA),
        "or it is damaged": bytes(crc),
        "two files of the same name": double,
    }
    for sentence, content in told.items():
        with pytest.raises(AssetError, match=rf"^mine\.zip .*{sentence}"):
            in_zip(content, "mine.zip", TIGHT)
    for part in range(16):
        with pytest.raises(AssetError, match=r"^mine\.zip "):
            in_zip(sound[: len(sound) * part // 16], "mine.zip", TIGHT)


def test_a_folder_is_counted_as_an_archive_is(tmp_path):
    (tmp_path / "cat").mkdir()
    for i in range(3):
        (tmp_path / "cat" / f"{i}.png").write_bytes(b"\0" * 1000)
    with pytest.raises(AssetError, match=r"contains more than 2 images; use fewer\.$"):
        pictures_in(tmp_path, Limits(members=2))
    with pytest.raises(AssetError, match=r"contains more than 0 MB of images"):
        pictures_in(tmp_path, Limits(bytes_in_all=2500))
    with pytest.raises(AssetError, match=r"of more than 0 MB; use smaller images"):
        pictures_in(tmp_path, Limits(picture_bytes=999))


def png_of(width, height, data):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (100_000, 1), (1, 100_000), (30_000, 30_000)])
def test_a_large_picture_is_refused_by_its_header(width, height):
    data = zlib.compress(b"\0" * 10_000)
    tracemalloc.start()
    with pytest.raises(AssetError, match=r"^1\.png (is \d+ × \d+ px; at most 1024|is not a readable image)"):
        decode(png_of(width, height, data), "1.png", 3, 8)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


@pytest.mark.parametrize("format", ["GIF", "TIFF", "EPS", "ICO", "PPM", "TGA", "PCX"])
def test_other_formats_are_refused_whatever_they_are_called(format):
    with pytest.raises(AssetError, match=r"^1\.png is not a readable image"):
        decode(picture(format), "1.png", 3, 8)


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"SIMPLE  =", b"8BPS\0\1" + b"\0" * 40]
)
def test_svg_fits_and_psd_are_refused(content):
    with pytest.raises(AssetError, match=r"^1\.png is not a readable image"):
        decode(content, "1.png", 3, 8)


@pytest.mark.parametrize("format", ["WEBP", "PNG"])
def test_a_picture_that_moves_is_refused(format):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, format, save_all=True, append_images=frames[1:])
    with pytest.raises(AssetError, match=r"^1\.png is an animation with 2 frames"):
        decode(stream.getvalue(), "1.png", 3, 8)


def encoded(image, format="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def test_every_kind_of_pixel_has_its_documented_result():
    deep = np.full((8, 8), 0x8040, np.uint16)
    assert (decode(encoded(Image.fromarray(deep)), "1.png", 1, 8) == 0x80).all()
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (decode(encoded(clear), "1.png", 3, 8) == 255).all()
    assert (decode(encoded(clear.convert("P")), "1.png", 3, 8) >= 0).all()
    ink = Image.new("CMYK", (8, 8), (0, 0, 0, 255))
    assert decode(encoded(ink, "JPEG"), "1.jpg", 3, 8).max() < 10
    half = Image.fromarray(np.repeat(np.array([[0] * 4 + [255] * 4], np.uint8), 8, axis=0))
    turned = Image.Exif()
    turned[0x0112] = 6  # 90° clockwise
    pixels = decode(encoded(half, "PNG", exif=turned), "1.png", 1, 8)[0]
    assert pixels[0].max() == 0
    assert pixels[-1].min() == 255
    assert decode(encoded(Image.new("1", (8, 8), 1)), "1.png", 1, 8).min() == 255


def exif_that_repeats(entries, each):
    """A directory whose entries all name the same `each` bytes."""
    start = 8 + 2 + 12 * entries + 4
    found = [struct.pack("<HHLL", 0x1000 + number, 7, each, start) for number in range(entries)]
    return b"II*\0" + struct.pack("<LH", 8, entries) + b"".join(found) + bytes(4) + bytes(each)


def png_with(kind, content):
    sound, end = picture("PNG"), 33  # after the signature and the header
    part = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return sound[:end] + part + sound[end:]


def jpeg_with(marker, contents):
    sound = picture("JPEG")
    parts = [b"\xff" + bytes([marker]) + struct.pack(">H", len(one) + 2) + one for one in contents]
    return sound[:2] + b"".join(parts) + sound[2:]


def hostile_metadata():
    repeats, text = exif_that_repeats(400, 200_000), zlib.compress(bytes(1 << 20))
    pieces = [b"Exif\0\0" + repeats[place : place + 60_000] for place in range(0, len(repeats), 60_000)]
    index = b"MPF\0" + exif_that_repeats(2500, 30_000)
    texts = b"".join(
        png_with(b"zTXt", b"%d\0\0" % number + text)[33 : -len(picture("PNG")[33:])] for number in range(60)
    )
    return {
        "PNG's Exif": png_with(b"eXIf", repeats),
        "JPEG's Exif": jpeg_with(0xE1, pieces),
        "JPEG's index of pictures": jpeg_with(0xE2, [index]),
        "PNG's texts": picture("PNG")[:33] + texts + picture("PNG")[33:],
    }


@pytest.mark.parametrize("kind", hostile_metadata())
def test_metadata_of_a_picture_takes_no_memory_whatever_it_says(kind):
    data = hostile_metadata()[kind]
    tracemalloc.start()
    try:
        decode(data, "1.png", 3, 8)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * len(data) + (1 << 20)


def test_a_jpeg_of_thousands_of_scans_is_refused():
    """Each scan goes through the whole picture and can be 13 bytes long: 1 MB of them took half a minute."""
    sound = encoded(Image.effect_noise((64, 64), 50), "JPEG", progressive=True)
    assert decode(sound, "1.jpg", 1, 8).any()
    scans = [place for place in range(len(sound)) if sound[place : place + 2] == b"\xff\xda"]
    last = sound[scans[-1] : -2]
    with pytest.raises(AssetError, match=r"^1\.jpg is not a readable image"):
        decode(sound[:-2] + last * 100 + sound[-2:], "1.jpg", 1, 8)


def test_pictures_of_too_many_pixels_together_are_refused_before_one_is_decoded():
    large = encoded(Image.new("P", (1024, 1024)))
    content = zipped([(f"circle/{number}.png", large) for number in range(101)])
    assert len(content) < 100_000
    with pytest.raises(
        AssetError, match=r"^test_data has more than 100 million pixels in all images; use fewer pixels"
    ):
        opened(uploaded(tests=content))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_turned_as_its_exif_says_in_every_format(format):
    drawn = np.zeros((16, 16), np.uint8)
    drawn[:8, :4] = 255
    image = Image.fromarray(drawn).convert("RGB")
    for number in range(9):
        exif = Image.Exif()
        exif[0x0112] = number
        data = encoded(image, format, exif=exif, **({"lossless": True} if format == "WEBP" else {"quality": 95}))
        wanted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L")) > 127
        assert ((decode(data, "1.png", 1, 16)[0] > 127) == wanted).all()


def arrays(**named):
    stream = io.BytesIO()
    np.savez(stream, **named)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        arrays(images=np.zeros((2, 8, 8), np.uint8), labels=np.zeros(2)),
        arrays(images=np.array([{}], dtype=object)),
        arrays(images=np.zeros(2, np.complex64), labels=np.array(["a", "b"])),
    ],
    ids=["images", "objects", "complex"],
)
def test_arrays_are_never_read_for_they_may_hold_pickles(content, tmp_path):
    with pytest.raises(AssetError, match="must lie in folders named after their classes"):
        opened(uploaded(tests=content))
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(AssetError, match=r"^mine\.npz has no images"):
        pictures_in(tmp_path / "mine.npz")


@pytest.mark.parametrize(
    ("names", "each", "sentence"),
    [
        (("moon",), 1, r"classes that the teacher does not know \('moon'\); the teacher knows circle, square, star\."),
        (("3",), 1, r"classes that the teacher does not know \('3'\)"),
        (("-1",), 1, r"classes that the teacher does not know \('-1'\)"),
        (("0.5",), 1, r"classes that the teacher does not know \('0\.5'\)"),
        ((), 0, r"must lie in folders"),
    ],
)
def test_labels_that_are_no_class_and_nothing_at_all_are_named(names, each, sentence):
    with pytest.raises(AssetError, match=sentence):
        opened(uploaded(tests=drawn(names, each)))


@pytest.mark.parametrize(("names", "each"), [(("star",), 1), (("star",), 9), (("0", "2"), 1)])
def test_one_image_or_one_class_is_enough_to_measure_with(names, each):
    teacher, testset = opened(uploaded(tests=drawn(names, each)))
    assert set(testset.labels) == ({0, 2} if len(names) == 2 else {2})
    assert any(f"of {len(names) * each} of your test images" in said for said in remarks(teacher, testset))


def test_a_parquet_file_whose_one_picture_stands_for_thousands_is_refused_by_their_number():
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    picture_of = {"bytes": picture("PNG"), "path": None}
    stream = io.BytesIO()
    parquet.write_table(arrow.table({"image": [picture_of] * 6000, "label": ["circle"] * 6000}), stream)
    assert len(stream.getvalue()) < 100_000
    with pytest.raises(AssetError, match=r"^test images contains more than 5,000 images or 64 MB; use fewer images\.$"):
        opened(uploaded(tests=stream.getvalue()))


def overlong(number: int, length: int) -> bytes:
    """A number as Thrift writes it, in more bytes than it needs."""
    digits = [number << 1 >> shift & 127 for shift in range(0, 7 * length, 7)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def shortest(number: int) -> bytes:
    return overlong(number, -(-(number << 1).bit_length() // 7))


def test_a_parquet_file_that_states_smaller_pages_than_it_has_is_refused():
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stream = io.BytesIO()
    pictures = arrow.DictionaryArray.from_arrays(arrow.array([0] * 256), arrow.array([bytes(8 << 20)]))
    table = arrow.table({"image": pictures, "label": ["circle"] * 256})
    parquet.write_table(table, stream, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False)
    content = stream.getvalue()
    size = parquet.ParquetFile(stream).metadata.row_group(0).column(0).total_uncompressed_size
    assert size > 8 << 20
    assert content.count(shortest(size)) == 1
    lie = content.replace(shortest(size), overlong(100, len(shortest(size))))
    assert parquet.ParquetFile(io.BytesIO(lie)).metadata.row_group(0).column(0).total_uncompressed_size == 100
    assert len(lie) < 2000
    with pytest.raises(AssetError, match=r"^test images is missing, damaged or has no columns image and label"):
        opened(uploaded(tests=lie))


def test_a_parquet_file_of_lists_is_refused_whatever_they_hold():
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for columns in (
        {"image": [[picture("PNG")] * 2], "label": ["circle"]},
        {"image": [{"bytes": [picture("PNG")]}], "label": ["circle"]},
        {"image": [picture("PNG")], "label": [["circle"]]},
    ):
        stream = io.BytesIO()
        parquet.write_table(arrow.table(columns), stream)
        with pytest.raises(AssetError, match="damaged or has no columns"):
            opened(uploaded(tests=stream.getvalue()))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data_page_version": "2.0"},
        {"data_page_size": 100, "use_dictionary": False},
        {"row_group_size": 2, "compression": "gzip"},
        {"compression": "none", "write_statistics": False, "write_page_checksum": True},
    ],
)
def test_pages_of_every_writer_are_followed_to_their_end(options):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stream = io.BytesIO()
    columns = {"image": [{"bytes": bytes([n] * 90), "path": "x"} for n in range(9)], "label": [*range(9)]}
    parquet.write_table(arrow.table(columns | {"other": [[n] * 50 for n in range(9)]}), stream, **options)
    metadata = parquet.ParquetFile(stream).metadata
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    stated = [chunk for group in groups for chunk in map(group.column, range(3))]  # image.bytes, image.path, label
    assert largest_chunk(stream, metadata, ("image", "label")) == max(chunk.total_uncompressed_size for chunk in stated)


def test_damaged_pages_are_a_refusal_and_nothing_else():
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stream, rng = io.BytesIO(), random.Random(1)
    columns = {"image": [picture("PNG")] * 20, "label": ["circle", "square"] * 10}
    parquet.write_table(arrow.table(columns), stream, compression="none")
    for _ in range(300):
        with contextlib.suppress(AssetError):
            list(rows_here(io.BytesIO(b"PAR1" + spoiled(rng, stream.getvalue()[4:])), "x"))


# A file that pyarrow wrote, with one bit of its list of contents changed: reading it ends the process (pyarrow 26).
ENDS_ITS_READER = (
    b"c-"
    b"jka3^EjD5S_;eL^`5OKqi|gn~WKQhHGblpF1y?6c+;n1FxrtOAwIe0AUcp@G#|JIFRD;ba4!+n3J5afDg#?U|`hSVN(Z^_jL7hS?"
    b"83{Btacx1O<T{CJ<(H1(H-"
    b"T6X;bLQ5l4vCBV8t0KpPt(7+;!<QkZeD2t?xDT4%CadJj#ZlWj)gD8V4lLTvKZen^WP!hz>NlZ%3VGv`Il#$d?V~`Q$kyK@4kc6r"
    b"c1xkp$VFn^K4x2$3`jRrhP+|~eVz3eGVw7Z)R0I1T<P8?6H^ANldt(+O5UG7(wjn7*5jJSTj2CNT6=PE408$JZ3I&Npg{7$_y2%9"
    b"vx`{<a`Q-{_sYS(^`FRRPW_kvChLSom3=BZT&<%`~0AQ*H05sxsO8"
)


def test_a_parquet_file_that_ends_its_reader_is_one_sentence():
    pytest.importorskip("pyarrow")
    content = zlib.decompress(base64.b85decode(ENDS_ITS_READER))
    with pytest.raises(AssetError, match=r"^test images is missing, damaged or has no columns image and label"):
        opened(uploaded(tests=content))


def test_who_takes_some_rows_of_a_parquet_file_leaves_no_process_behind(monkeypatch):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    begun, begin = [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: begun.append(begin(*given, **named)) or begun[-1])
    stream = io.BytesIO()
    parquet.write_table(arrow.table({"image": [bytes(100_000)] * 50, "label": [0] * 50}), stream)
    with pytest.raises(AssetError, match="contains more than 1 images"):
        in_parquet(stream.getvalue(), "x", Limits(members=1))
    assert [one.returncode for one in begun] == [-signal.SIGKILL]


def test_the_class_names_of_a_parquet_file_may_be_any_json():
    """`datasets` writes them into the schema of a file as JSON. Python's reader of JSON goes as deep as its text."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"image": [picture("PNG")], "label": [0]})
    shallow = '{"info": {"features": {"label": {"names": %s}}}}'
    for names in ("[" * 100_000, *(shallow % one for one in ("null", "5", '{"a": 1}', "[" * 900 + "]" * 900))):
        stream = io.BytesIO()
        parquet.write_table(table.replace_schema_metadata({"huggingface": names}), stream)
        (row,) = rows_here(stream, "x")
        assert isinstance(row[1], int)
