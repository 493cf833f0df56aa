"""Checks of our own, run by `bin/check` where no tool that we know does it."""
