"""This folder alone talks to Docker: ``docker.DockerEngine`` is the Engine port on a real one."""
