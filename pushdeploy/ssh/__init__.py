"""The ssh server: public keys only, sessions only, and hard to wear down for strangers."""
