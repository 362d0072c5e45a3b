"""What a scope is as PyTorch code: the emitter writes it down, the analyses of memory run it.

All that decides how a scope is written, and so how long a tensor lives, is said here once, since analyses and backends
do not import each other.
"""
