"""Answers that an application keeps in memory for anonymous callers."""

import dataclasses

from starlette.applications import Starlette

from amarevents.infra.answer_cache import AnswerCache


def keep_answers(app: Starlette, *, seconds: float = 60) -> AnswerCache:
    """Make the application keep answers, for so long that only a change ends them; 0 makes it keep none."""
    answers = AnswerCache(app.state.services.versions, seconds=seconds)
    app.state.services = dataclasses.replace(app.state.services, answers=answers)
    return answers
