"""The trained models: the reader, the support checker, and the calibration of the confidence.

Read in this order: windows, trained_model, networks, weights, reader, second_pass, support, calibration.
Only networks and weights import torch.
"""
