"""The domain holds the nouns and rules of pushdeploy: values without I/O, on the standard
library.
"""
