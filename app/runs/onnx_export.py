"""A student as ONNX, for a process of its own: the export keeps Python busy for seconds, or for minutes."""

from __future__ import annotations


def onnx_of(student: bytes) -> bytes:
    """`nayer.exports.onnx_file.onnx_of_file`, which imports torch only in that process."""
    from nayer.exports.onnx_file import onnx_of_file

    return onnx_of_file(student)
