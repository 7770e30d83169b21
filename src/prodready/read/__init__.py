"""Reading: one file in, its facts out; a pure function of bytes, knowledge and configuration."""
