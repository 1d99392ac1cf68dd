"""What a run leaves behind: its folder, its archive, its recording, its student's code."""
