"""TODO service/observability/setup.py"""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from service.errors import SettingsInvalid
from service.observability.tracing import _STANDARD, Tracing, Untraced
from service.settings import Settings


def tracing(settings: Settings) -> Tracing:
    """What the settings, or OpenTelemetry's own variables, ask for. Raises SettingsInvalid without the packages for it."""
    if not (settings.otel_endpoint or os.environ.get(_STANDARD)):
        return Untraced()
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise SettingsInvalid(
            "otel_endpoint is set, and the packages for it are not there. Run: pip install 'quoth[otel]'"
        )
    # The extra takes 0.3 s to import and is not installed by default.
    return cast(Tracing, import_module("service.observability.otel").OpenTelemetry.over_http(settings.otel_endpoint))
