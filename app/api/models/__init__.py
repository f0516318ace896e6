"""Models as requests find them: listed, opened once for all tabs, described."""
