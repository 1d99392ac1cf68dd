"""A student as ONNX, for the process that draws: the export keeps Python busy for seconds."""

from __future__ import annotations


def onnx_of(student: bytes) -> bytes:
    """`nayer.exports.onnx_file.onnx_of_file`, which imports torch only in that process."""
    from nayer.exports.onnx_file import onnx_of_file

    return onnx_of_file(student)
