"""Signed messages over HTTP: how parties reach each other."""
