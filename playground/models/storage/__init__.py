"""Runs on disk: checkpoints, `run.json`, and whether files are as they were saved."""
