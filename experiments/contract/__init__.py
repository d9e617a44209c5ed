"""What a framework must offer, and what both of them share: layers and weights in common terms."""
