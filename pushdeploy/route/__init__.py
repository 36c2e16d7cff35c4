"""Tasks → HTTP: the routers, one file each in routers/, and what they stand on."""
