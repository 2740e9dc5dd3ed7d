"""How things look: figures and codes as SVG and HTML. Nothing here knows what they mean."""
