"""What nobody asks for: chores that keep what runs, and what is kept, as it should be."""
