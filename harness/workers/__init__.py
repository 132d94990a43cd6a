"""The processes that work: how they are started, what they tell, which of them runs where."""
