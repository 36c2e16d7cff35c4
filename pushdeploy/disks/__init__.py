"""Disks of apps are directories that outlive containers."""
