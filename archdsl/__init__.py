"""Convolutional backbones from a spec: checked graph, costs, PyTorch source or module."""

__version__ = "0.1.0"
