"""The demo: a practice on a Monday morning, made by the verbs and the pretend phone network."""
