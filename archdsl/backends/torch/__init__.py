"""PyTorch: source that an engineer would be glad to have written, and the module that it makes."""

from archdsl.backends.torch.source import emit as emit
