"""What a Dockerfile asks for, read before anything is built, and what of it is refused."""
