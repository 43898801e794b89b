"""The daemon's door: one loopback port for the page, its health and the WebSocket."""
