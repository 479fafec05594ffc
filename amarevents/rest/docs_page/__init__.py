"""The API reference at ``/docs``: renders ``/openapi.json`` with code samples and a form to try each call."""
