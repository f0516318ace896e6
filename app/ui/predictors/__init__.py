"""What simple predictors get right."""
