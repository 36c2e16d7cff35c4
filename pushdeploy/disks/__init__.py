"""The disks of apps: directories that outlive containers."""
