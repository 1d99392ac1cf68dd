"""`python -m nayer config`: writes the settings of a run to a file that `distill --config` reads."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from nayer.cli.exit_codes import DONE
from nayer.cli.options import add_base_arguments, add_setting_arguments, given_settings
from nayer.common.files import check_target, path_to_write, write_whole
from nayer.config import Config
from nayer.errors import ConfigError, excerpt
from nayer.exports.config_file import read_config, written
from nayer.presets import get


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `config_command`: its own, and a flag for each setting."""
    parser.usage = "%(prog)s [--preset NAME | --config FILE] [--out FILE] [--teacher NAME] [--seed N] …"
    add_base_arguments(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=partial(path_to_write, "out"),
        help="File to write; without it, the file goes to standard output.",
    )
    add_setting_arguments(parser)


def config_command(arguments: argparse.Namespace) -> int:
    """Writes every setting with its help, unit and bounds. Returns 0 on success. Raises NayerError otherwise."""
    if arguments.config and arguments.preset:
        raise ConfigError(f"preset={excerpt(arguments.preset)!r} cannot be used with --config; leave one of them out.")
    base = read_config(arguments.config) if arguments.config else get(arguments.preset or "nayer").config
    config = Config.parse(given_settings(arguments), base=base)
    out: Path | None = arguments.out
    if out is None:
        sys.stdout.write(written(config))
        return DONE
    check_target(out)
    write_whole(out, written(config, str(out)).encode())
    return DONE
