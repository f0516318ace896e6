"""Runs on disk: checkpoints, `run.json`, and checks that files are unchanged."""
