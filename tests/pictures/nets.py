"""Networks that the shipped specs have no like of: pyramids, lists, edges that cross, names to beware of."""

from __future__ import annotations

PYRAMID = """
archdsl 1

backbone pyramid():
    \"\"\"A feature pyramid, and a way back up.\"\"\"
    input 3 x 64 x 64
    stem: cna(8, 3, 2)
    stage c2: basic(16)
    stage c3 / 2: 2 * basic(16)
    stage c4 / 2: 2 * basic(32)
    m4: conv(16)
    m3: (c3 -> conv(16)) + (m4 -> upsample(2))
    output p3: m3 -> conv(16, 3)
    n4: m4 + (m3 -> cna(16, 3, 2))
    output p4: n4 -> cna(16, 3)
    output p5: m4 -> maxpool(2)
"""

RESOLUTIONS = """
archdsl 1

block exchange(w) =
    \"\"\"Each resolution gets what the other knows.\"\"\"
    fork((x[0] + (x[1] -> cn(w) -> upsample(2))) -> relu, (x[1] + (x[0] -> cn(2 * w, 3, 2))) -> relu)

block up() = concat(x[0], x[1] -> upsample(2))

block rows(w) = fork(x[0] -> 4 * basic(w), x[1] -> 4 * basic(2 * w))

backbone resolutions(w = 8):
    input 3 x 32 x 32
    stem: cna(16, 3)
    fuse: fork(cna(w, 3), cna(2 * w, 3, 2)) -> rows(w) -> exchange(w) -> rows(w) -> up
    head: global_avgpool -> flatten -> linear(10)
"""

CROSSING = """
archdsl 1

block crossing(w):
    a = x -> cna(w, 3)
    b = a -> cna(w, 3)
    c = (a + b) -> cna(w, 3)
    d = (b + c) -> cna(w, 3)
    return concat(a, d, c) -> cna(w)

backbone crossed():
    input 3 x 32 x 32
    stem: cna(16, 3)
    stage c1: 2 * crossing(16)
    stage c2 / 2: maxpool(2) -> 3 * crossing(32)
    head: global_avgpool -> flatten -> linear(10)
"""

AUXILIARY = """
archdsl 1

backbone auxiliary():
    input 3 x 32 x 32
    stem: cna(8, 3)
    stage c1: 2 * basic(8)
    stage c2 / 2: 3 * basic(16)
    head: global_avgpool -> flatten -> linear(10)
    output first if training: c1 -> global_avgpool -> flatten -> linear(10)
    output second if training: c2 -> global_avgpool -> flatten -> linear(10)
"""

HOSTILE = """
archdsl 1

block a_name_that_is_longer_than_any_box_or_band_of_a_picture_could_ever_be_made() =
    \"\"\"]]></style></svg><script>alert(1)</script> &amp; '\" <!-- -- > `code`\"\"\"
    identity + cna(8, 3)

backbone hostile():
    \"\"\"</title><script>alert(2)</script><img src=x onerror=alert(3)> ${x} {{x}}\"\"\"
    input 3 x 8 x 8
    a_stage_with_a_long_name_in_which_no_blank_can_be_found: cna(8, 3)
    style: 3 * a_name_that_is_longer_than_any_box_or_band_of_a_picture_could_ever_be_made
    script: global_avgpool -> flatten -> linear(1_000_000)
"""

LONG = "archdsl 1\n\nbackbone long():\n    input 3 x 8 x 8\n" + "".join(
    f"    s{at}: {' -> '.join(f'cna({8 + at + part}, 3)' for part in range(9))}\n" for at in range(40)
)

MANY_BLOCKS = (
    "archdsl 1\n\n"
    + "".join(f"block b{at}() = identity + (cna(8, 3) -> cna(8, {2 * at + 1}) -> cn(8, 3))\n" for at in range(40))
    + "\nbackbone many():\n    input 3 x 8 x 8\n    stem: cna(8)\n"
    + "".join(f"    s{at}: {' -> '.join(f'b{part}' for part in range(5 * at, 5 * at + 5))}\n" for at in range(8))
)

WIDE = """
archdsl 1

block wide() = concat(...[cna(4 + i, 3) for i in range(60)])

backbone broad():
    input 3 x 8 x 8
    stem: cna(8)
    body: wide -> wide
"""

SPREAD = """
archdsl 1

backbone spread():
    input 3 x 8 x 8
    stem: cna(8) -> concat(...[cna(64 + i, 3) -> cna(64 + i, 5) for i in range(20)]) -> cna(8)
    tail: concat(cna(8), concat(...[concat(cna(8 + i, 3), cna(16 + i, 5)) -> cna(8) for i in range(9)])) -> cna(8)
"""

TALL = """
archdsl 1

backbone tall():
    input 3 x 8 x 8
    stem: cna(8)
    body: REST -> cna(8)
""".replace("REST", " -> ".join(f"concat(cna({8 + at}, 3), cna({9 + at}, 5) -> cna(8, 3))" for at in range(30)))

NETS = {
    "pyramid": PYRAMID,
    "resolutions": RESOLUTIONS,
    "crossed": CROSSING,
    "auxiliary": AUXILIARY,
    "hostile": HOSTILE,
    "long": LONG,
    "many": MANY_BLOCKS,
    "broad": WIDE,
    "spread": SPREAD,
    "tall": TALL,
}
