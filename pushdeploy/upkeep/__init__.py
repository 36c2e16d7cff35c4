"""Chores keep running tasks and stored files as they should be, without being asked."""
