"""What the sensors show."""
