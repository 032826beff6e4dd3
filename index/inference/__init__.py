"""How neural networks run here: the BERT architecture, the engines that execute it, and batches shared by concurrent callers.

Read in this order: bert, runtime, engine, batching.
"""
