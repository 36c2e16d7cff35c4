"""People ask for deploys, promotions and config changes, and the flow makes each of them live."""
