"""Tests of aimark_daemon.config."""
