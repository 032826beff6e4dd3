"""What is recorded while Quoth runs: logs, metrics, and traces for OpenTelemetry.

Read in this order: logs, tracing, metrics, otel, setup.
"""
