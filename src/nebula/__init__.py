"""Nebula: people own their genome, and are paid when research uses it."""
