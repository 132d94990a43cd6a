"""Three users' first hour, as steps that a script walks: a student, an engineer, an analyst."""
