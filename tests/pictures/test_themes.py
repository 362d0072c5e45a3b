"""Colors: every text and line can be told from its ground."""

from __future__ import annotations

from itertools import pairwise

import pytest

from archdsl.backends.pictures.themes import STEPS, THEMES, contrast, step_of


@pytest.mark.parametrize("name", THEMES)
def test_texts_and_lines_have_contrast(name: str) -> None:
    theme = THEMES[name]
    for ground, ink in zip(theme.ramp, theme.ramp_ink, strict=True):
        assert contrast(ground, ink) >= 4.5
    for ground in (theme.ground, theme.panel):
        for ink in (theme.ink, theme.muted, theme.line, theme.residual, theme.gate, theme.added_ink, theme.removed_ink):
            assert contrast(ground, ink) >= 4.5, (ground, ink)
    for ground in (theme.altered, theme.added, theme.removed):
        assert contrast(ground, theme.ink) >= 4.5
    assert contrast(theme.badge, theme.badge_ink) >= 7


@pytest.mark.parametrize("name", THEMES)
def test_steps_of_the_ramp_differ(name: str) -> None:
    ramp = THEMES[name].ramp
    assert all(contrast(one, two) > 1.12 for one, two in pairwise(ramp))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)


def test_steps_begin_at_their_share() -> None:
    assert [step_of(share) for share in (0, *STEPS, 1)] == [0, 1, 2, 3, 4, 4]
