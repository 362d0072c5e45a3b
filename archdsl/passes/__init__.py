"""Graph to graph: `features` cuts a network after the feature maps that are wanted."""
