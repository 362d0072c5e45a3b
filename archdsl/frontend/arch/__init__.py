"""The `.arch` notation."""
