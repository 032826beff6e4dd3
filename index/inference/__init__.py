"""Running neural networks on the CPU: the BERT architecture, engines, and batches shared by concurrent calls.

Read in this order: bert, batching, cache, engine, runtime.
"""
