"""The trained models and what they say: the reader, the support checker, and the calibration of the confidence.

Read in this order: files, windows, networks, reader, second_pass, support, calibration.
"""
