"""The experiments behind docs/findings.md, as commands whose numbers anyone can have again."""
