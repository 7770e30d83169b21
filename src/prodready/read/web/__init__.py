"""Reading JavaScript, TypeScript, markup and templates: a file in, its facts out."""
