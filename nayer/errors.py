"""The exceptions of this package.

NayerError          one sentence for a person: the field, the value, the allowed values
├── ConfigError     a setting that cannot be used (command line: exit code 2)
├── AssetError      a teacher, table or test split that is missing or damaged
├── EncoderError    label texts cannot be embedded on this machine
├── StorageError    a file cannot be written or read back
│   └── DiskFull    because no room is left for it
└── DivergedError   a run whose losses stopped being finite
"""


def excerpt(value: object, most: int = 60) -> str:
    """The beginning of a text from outside, for an error message: at most `most` characters, without control codes."""
    return "".join(character if character.isprintable() else "�" for character in str(value)[:most])


class NayerError(Exception):
    """A failure whose message can be shown to a person without changes."""


class ConfigError(NayerError):
    """A setting is unknown, out of range, or does not fit the teacher."""


class AssetError(NayerError):
    """A teacher, an embedding table or a test split is missing, damaged or of the wrong shape."""


class EncoderError(NayerError):
    """The text encoder is not available, or the class names cannot be embedded."""


class StorageError(NayerError):
    """A file could not be written, or its content differs from what was written."""


class DiskFull(StorageError):
    """A file could not be written because the disk, the quota or the limit of a file's size has no room for it."""


class DivergedError(NayerError):
    """A loss became NaN or infinite; the run keeps the last finite student."""
