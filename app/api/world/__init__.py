"""Rules of worlds: checked, opened, saved, exchanged."""
