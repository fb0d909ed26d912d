"""What happens is told once, and nothing that has not happened."""
