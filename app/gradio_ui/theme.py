"""Gradio's theme in the page's own colors; system fonts, so that nothing is fetched from elsewhere."""

from __future__ import annotations

import gradio as gr

_SANS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]


def theme() -> gr.themes.Base:
    """Quiet grays and one blue; the stage's style sheet uses the same values."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_sm,
        text_size=gr.themes.sizes.text_sm,
        font=_SANS,
        font_mono=_MONO,
    ).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e131c",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#161d29",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0",
        block_label_text_weight="600",
        block_title_text_weight="600",
        block_title_text_size="13px",
        block_info_text_size="12px",
        block_info_text_color="#5b6678",
        block_info_text_color_dark="#9aa7ba",
        body_text_color="#1b2433",
        body_text_color_dark="#e6ebf3",
        border_color_primary="#dfe4ec",
        border_color_primary_dark="#2a3444",
        input_background_fill="#ffffff",
        input_background_fill_dark="#111824",
        input_border_width="1px",
        input_border_color="#cfd6e1",
        input_border_color_dark="#344055",
    )
