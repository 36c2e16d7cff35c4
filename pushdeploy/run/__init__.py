"""Release → Tasks: schedulers bring a manifest up, watch over it and take it down."""
