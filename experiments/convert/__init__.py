"""A trained model of one framework made one of the other, with the proof that both compute the same."""
