"""The package ``receive`` turns a git push into a Source.

The only package that imports Dulwich; it knows nothing of the flow.
"""
