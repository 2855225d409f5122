"""Where everything meets: assembly of profile, plugins and data, and the runs made of them."""
