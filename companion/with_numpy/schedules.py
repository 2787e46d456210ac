"""Schedules: a function of the step alone, so both wings share the file `companion.schedules`."""

from companion.schedules import cosine_schedule, inverse_sqrt_warmup

__all__ = ["cosine_schedule", "inverse_sqrt_warmup"]
