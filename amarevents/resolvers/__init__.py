"""Every operation of the platform, once: inputs, views and operations, one noun a module; no surface is known here."""
