"""What a person sees while a run is at work: bars on a terminal, lines elsewhere."""
