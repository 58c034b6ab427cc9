"""Pictures of pages, drawn as SVG: one module decides colour, scale, order and labels."""
