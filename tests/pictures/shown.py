"""Pictures of the docs, `docs/pictures/*.svg`; `python -m tests.update` writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import archdsl
from archdsl.driver.pictures import difference, setting_of, svg

V100 = {"color": "time", "device": "v100", "batch": 16}

PYRAMID = """
archdsl 1

backbone pyramid():
    \"\"\"A feature pyramid on ResNet-50: sections that read several others stand beside the stages of their size.\"\"\"
    input 3 x 224 x 224
    stem: cna(64, 7, 2) -> maxpool(3, 2)
    stage c2: 3 * bottleneck(256)
    stage c3 / 2: 4 * bottleneck(512)
    stage c4 / 2: 6 * bottleneck(1024)
    stage c5 / 2: 3 * bottleneck(2048)
    m5: conv(256)
    m4: (c4 -> conv(256)) + (m5 -> upsample(2))
    m3: (c3 -> conv(256)) + (m4 -> upsample(2))
    output p3: m3 -> conv(256, 3)
    output p4: m4 -> conv(256, 3)
    output p5: m5 -> conv(256, 3)
"""


def diff() -> str:
    """A drawn diff."""
    before, after = map(archdsl.compile, ("vovnetv2_39", "csp_vovnet39"))
    return svg(difference(before, after, "time", setting_of("v100", batch=16)))


SHOWN: dict[str, Callable[[], str]] = {
    "csp_vovnet39": partial(archdsl.draw, "csp_vovnet39", **V100),
    "inception_v3": partial(archdsl.draw, "inception_v3", theme="dark", **V100),
    "pyramid": lambda: archdsl.draw(archdsl.loads(PYRAMID, "pyramid.arch"), **V100),
    "diff": diff,
}
"""Pictures by name."""
