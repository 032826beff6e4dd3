"""OpenVINO, imported as a program that reports to nobody and stays small must import it. Import it from here."""

import os
import sys

# openvino reports every import to Google Analytics through this package, unless the package cannot be imported.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
# Unless this is set before its first use, oneDNN keeps what it compiled for 1,024 operations: together with what
# OpenVINO keeps (compiling.py), 0.65 MiB per shape of MiniLM, and shapes hardly ever repeat.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")

import openvino  # noqa: E402  (the lines above must come first)

# If two threads make the first call of this at once, both block for good: openvino holds a C++ static guard while it
# waits for the interpreter lock (seen in a server whose first two requests came together). A first call here prevents
# that.
openvino.Type.i64.to_dtype()
from openvino._offline_transformations import compress_model_transformation  # noqa: E402  (as above; no public name)
from openvino.frontend import GeneralFailure, NotImplementedFailure, OpConversionFailure  # noqa: E402  (as above)

REFUSALS = (RuntimeError, GeneralFailure, NotImplementedFailure, OpConversionFailure)
"""The exceptions that OpenVINO raises for a network that it cannot run."""

__all__ = ["REFUSALS", "compress_model_transformation", "openvino"]
