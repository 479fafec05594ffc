"""Realistic demo data for an empty database: fictional organizations, events, people and payments."""

from amarevents.demo.credentials import DemoCredentials, NotADemoDatabase, issue_demo_credentials
from amarevents.demo.seeding import DatabaseNotEmpty, SeedSummary, is_empty, seed, was_seeded

__all__ = [
    "DatabaseNotEmpty",
    "DemoCredentials",
    "NotADemoDatabase",
    "SeedSummary",
    "is_empty",
    "issue_demo_credentials",
    "seed",
    "was_seeded",
]
