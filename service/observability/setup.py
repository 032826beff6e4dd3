"""Choose how a server keeps traces: through OpenTelemetry when an endpoint is set, else not at all."""

import os
from importlib.util import find_spec

from service.errors import SettingsInvalid
from service.observability.tracing import Tracing, Untraced
from service.settings import Settings

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's own variable


def make_tracing(settings: Settings) -> Tracing:
    """The tracing that the settings, or OpenTelemetry's own variables, ask for.

    Raises SettingsInvalid if they do and the packages of the extra `otel` are missing.
    """
    if not (settings.otel_endpoint or os.environ.get(_ENDPOINT)):
        return Untraced()
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise SettingsInvalid(
            "otel_endpoint is set, and its packages are not installed. Run: pip install 'quoth[otel]'"
        )
    # The packages are optional, and take 0.3 s to import.
    from service.observability.otel import OpenTelemetry  # noqa: PLC0415

    return OpenTelemetry.over_http(settings.otel_endpoint)
