"""Small, honest implementations of kinds whose first real plugin comes later: what checks are written against."""
