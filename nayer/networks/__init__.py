"""Every network that is built: generator, noisy layer, classifiers, and the hooks that read them."""
