"""Huey's jobs: load a row, call one verb. Importing this package registers all of them."""

from sms.tasks import calls, carriers, deliveries, sweeps

__all__ = ["calls", "carriers", "deliveries", "sweeps"]
