"""What every test shares."""

import torch
from hypothesis import HealthCheck, settings

# The networks here are tiny: a second thread costs more than it brings, and other work may hold the second core.
torch.set_num_threads(1)

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
