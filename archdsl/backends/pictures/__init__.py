"""Pictures of networks: one page from a graph, laid out by ourselves, without torch.

    graph → flow (dataflow, series and parallel) → tree (variants as one) → model (sections, cards)
          → elements, chain, lanes, cards → page → scene → svg

A scene is a flat list of what is to be seen; `outline` writes the model as DOT and Mermaid instead.
"""
