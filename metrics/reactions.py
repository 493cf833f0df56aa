"""What this room owes when something happens to a ticket."""
