"""The colour of each framework, wherever it is drawn."""

# Told apart in every simulation of colour blindness: blue and vermilion of Okabe and Ito's palette (2008).
COLOURS = {"lightning": "#0072B2", "keras": "#D55E00"}
