"""Extensions of a client."""
