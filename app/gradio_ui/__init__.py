"""The page's widgets, and the only code that uses Gradio."""
