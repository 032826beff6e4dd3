"""The trained models: the reader, the support checker, and the calibration of the confidence.

Read in this order: windows, networks, trained_model, reader, second_pass, support, calibration.
"""
