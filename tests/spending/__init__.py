"""What an account and its keys have spent, by the days of the person."""
