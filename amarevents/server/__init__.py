"""What the server process does around requests: logging, WebSocket frames, maintenance and shutdown."""
