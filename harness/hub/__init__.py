"""Where models and their files come from: the hub, its cache, local folders."""
