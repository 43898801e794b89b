"""Models: the catalogue of what may be installed, the store that holds it, and the mirrors it comes from."""
