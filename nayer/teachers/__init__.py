"""Teachers: found by name, loaded and checked, taken from a program or an upload, or trained."""
