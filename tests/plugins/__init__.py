"""Tests of aimark_daemon.plugins."""
