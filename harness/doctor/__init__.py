"""Whether this machine and these packages can do what a config asks."""
