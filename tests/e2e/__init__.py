"""Whole systems: a real daemon process, real models, real clients."""
