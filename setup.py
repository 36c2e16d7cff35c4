"""Finds the packages, so that a new one needs no line; everything else stands in setup.cfg."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["pushdeploy", "pushdeploy.*"]),
        "pushdeploy.hooks",
        "pushdeploy.templates",
    ]
)
