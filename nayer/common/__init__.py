"""Helpers that know nothing of distillation: files, the Hub, devices, a stopwatch, safe tensors."""
