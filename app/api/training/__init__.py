"""What page Train asks: the form of a training, and how trainings go."""
