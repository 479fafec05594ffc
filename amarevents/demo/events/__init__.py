"""The events of the demo, by kind."""

from amarevents.demo.events.community import COMMUNITY
from amarevents.demo.events.learning import LEARNING
from amarevents.demo.events.stage import STAGE

EVENTS = (*STAGE, *LEARNING, *COMMUNITY)
