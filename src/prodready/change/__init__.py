"""What a change brings: two sides of a project, and the findings that the difference between them explains."""
