"""Tests of the server, on real sockets with a fake dispatcher behind it."""
