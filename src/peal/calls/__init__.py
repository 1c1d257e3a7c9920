"""What happened: from call events to calls."""
