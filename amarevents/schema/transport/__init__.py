"""GraphQL over HTTP, Server-Sent Events and WebSockets."""
