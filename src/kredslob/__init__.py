"""kredslob: social investment as a cycle."""
