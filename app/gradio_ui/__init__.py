"""The page's widgets, and the only touch of Gradio."""
