"""What every request passes: who asks, from where, and with what body."""
