"""Weights of other projects' networks, renamed by rules, which are data (the YAML files here)."""

from archdsl.weights.loading import load_weights as load_weights
from archdsl.weights.loading import to_reference as to_reference
from archdsl.weights.report import Report as Report
