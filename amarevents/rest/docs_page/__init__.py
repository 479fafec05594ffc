"""The reference page at ``/docs``: reads ``/openapi.json``, tries calls, shows code samples; asks no other origin."""
