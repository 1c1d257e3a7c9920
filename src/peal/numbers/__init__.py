"""Numbers outside: those that reach a client (DID), and those that its calls show (ANI)."""
