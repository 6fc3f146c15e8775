"""Plain HTTP on the public door: the chat page, health, checks."""
