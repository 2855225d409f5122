"""Market data files: read, judged, and turned into bars. ``files.load_bars`` is the way in."""
