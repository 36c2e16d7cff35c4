"""Docker, and only here: ``docker.DockerEngine`` is the Engine port on a real Docker engine."""
