"""What is told: each file reads what commands, and others later, show of one noun."""
