"""Reading: one file in, its facts out; a pure function of its bytes."""
