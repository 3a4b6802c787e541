"""Who survives? The use case of a small table with missing values, and a simulator of a ship's passengers."""
