"""What a trained model, a run's or a file, says of images that a user has."""
