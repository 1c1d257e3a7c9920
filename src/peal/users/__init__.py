"""Those who use the API."""
