"""git push → Source. The only package that imports Dulwich; it knows nothing of the flow."""
