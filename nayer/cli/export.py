"""`python -m nayer export`: a student of an `--out` folder in the forms that other programs read."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from functools import partial
from pathlib import Path

from nayer.cli.exit_codes import DONE
from nayer.common.files import check_target, path_to_write, write_whole
from nayer.common.hub import is_hub_id
from nayer.errors import ConfigError, excerpt
from nayer.exports.onnx_file import check_onnx, onnx_of
from nayer.exports.run_facts import read_facts
from nayer.exports.run_folder import load_student


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `export_command`."""
    parser.add_argument(
        "folder", metavar="DIR", type=partial(path_to_write, "folder"), help="A folder that --out wrote."
    )
    parser.add_argument(
        "--onnx",
        metavar="FILE",
        type=partial(path_to_write, "onnx"),
        help="Write the student as ONNX to this file, and check it with onnxruntime.",
    )
    parser.add_argument(
        "--hub-folder",
        metavar="DIR",
        type=partial(path_to_write, "hub-folder"),
        help="Write a repository of the Hub to this folder: weights, config, code and a model card. No network needed.",
    )
    add_push_arguments(parser)


def add_push_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of an upload to the Hub."""
    parser.add_argument(
        "--push",
        metavar="OWNER/NAME",
        type=repository,
        help="Upload the student to this repository of the Hub, with the token of `hf auth login` or HF_TOKEN.",
    )
    parser.add_argument("--private", action="store_true", help="Make the repository private if it is new.")
    parser.add_argument(
        "--license",
        default="",
        type=license_of,
        metavar="ID",
        help="License in the model card, as the Hub names it, such as mit (default: other).",
    )


def export_command(arguments: argparse.Namespace) -> int:
    """Writes what was asked for. Returns 0 on success. Raises NayerError otherwise."""
    if not (arguments.onnx or arguments.hub_folder or arguments.push):
        raise ConfigError("export needs --onnx, --hub-folder or --push; they name what to write.")
    run: Path = arguments.folder
    student, facts = load_student(run), read_facts(run)
    if arguments.onnx:
        check_onnx()
        check_target(arguments.onnx, "onnx")
        write_whole(arguments.onnx, onnx_of(student, facts.classes))
        sys.stdout.write(f"{arguments.onnx}: images (n, c, h, w) from 0 to 1 → logits (n, k)\n")
    if arguments.push:
        check_push()
    if arguments.hub_folder:
        from nayer.exports.hub_folder import write_hub_folder

        named = arguments.push or "OWNER/NAME"
        write_hub_folder(run, arguments.hub_folder, repository=named, license=arguments.license)
        sys.stdout.write(f'{arguments.hub_folder}: nayer.Student.from_pretrained("{arguments.hub_folder}") loads it\n')
    if arguments.push:
        sys.stdout.write(f"{pushed(run, arguments, arguments.hub_folder)}\n")
    return DONE


def check_push() -> None:
    """Raises ConfigError if this machine has no token for the Hub."""
    from huggingface_hub import get_token

    if not get_token():
        raise ConfigError("push needs a token of the Hub; `hf auth login` stores one, or set HF_TOKEN.")


def pushed(run: Path, arguments: argparse.Namespace, folder: Path | None = None) -> str:
    """Uploads the student of `run` as the flags say, and returns its address. Raises StorageError.

    `folder` is its repository's folder, if that exists already.
    """
    from nayer.exports.hub_folder import push, write_hub_folder

    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="nayer-"))
        write_hub_folder(run, folder, repository=arguments.push, license=arguments.license)
    return push(folder, arguments.push, private=arguments.private)


def license_of(text: str) -> str:
    """Reads the Hub's identifier of a license. Raises ConfigError for other text."""
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}", text):
        raise ConfigError(
            f"license must be an identifier of the Hub such as mit or cc-by-4.0; {excerpt(text)!r} was given."
        )
    return text


def repository(text: str) -> str:
    """Reads the name of a repository on the Hub. Raises ConfigError for other text."""
    if not is_hub_id(text):
        raise ConfigError(f"push must be OWNER/NAME on the Hub; {excerpt(text)!r} was given.")
    return text
