"""What runs beside the plugin: objects by key, named operations on them, and the codec of their answers."""
