"""Running neural networks on the CPU: the BERT architecture, engines, and batches shared by concurrent calls.

Read in this order: shape, bert, batching, blueprint, cache, engine, conversion, reference, runtime. Only bert, conversion and
reference import torch, and only a network that is not in the cache, or that OpenVINO cannot run, needs them.
"""
