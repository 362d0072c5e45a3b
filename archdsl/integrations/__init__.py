"""Adapters that let other projects take a network as one of theirs; each module is imported on use only."""
