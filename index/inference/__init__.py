"""Running neural networks on the CPU: the BERT architecture, engines, and batches shared by concurrent calls.

Read in this order: shape, bert, words, batching, blueprint, cache, conversion, compiling, engine, reference, runtime.
Only bert, conversion and reference import torch; a network that is in the cache, and that OpenVINO runs, needs none of them.
"""
