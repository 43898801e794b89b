"""Tests of aimark_daemon.assistant."""
