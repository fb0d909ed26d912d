"""When the money runs out, held to made-up habits of which the future is known."""
