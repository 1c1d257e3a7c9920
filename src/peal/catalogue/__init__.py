"""What a client keeps for fields to name: dial rules, sounds, call statuses, networks."""
