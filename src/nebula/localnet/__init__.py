"""A whole network on one machine: every party a process of its own, under one supervisor."""
