"""The feature maps that a network names: one for each link of each section's chain."""

from __future__ import annotations

from archdsl import driver

TEXT = """
backbone net:
    input 3 x 32 x 32
    stem: concat(conv(4), conv(8)) -> concat(conv(4), conv(8)) -> conv(8)
    stage c2 / 2: 2 * basic(16)
    p: c2 -> conv(4) -> conv(8)
    head: global_avgpool -> flatten -> linear(10)
"""


def test_each_link_of_a_section_gives_a_map_of_its_own_name() -> None:
    graph = driver.compile(driver.loads(TEXT))
    assert [(each.name, each.shape, each.reduction) for each in graph.maps] == [
        ("stem.concat", (12, 32, 32), 1),
        ("stem.concat2", (12, 32, 32), 1),
        ("stem.conv5", (8, 32, 32), 1),
        ("c2.1", (16, 16, 16), 2),
        ("p.conv", (4, 16, 16), 2),
        ("p.conv2", (8, 16, 16), 2),
        ("head.global_avgpool", (8, 1, 1), 32),
    ]
