"""What is said: one module a conversation, read top to bottom in the order things are said."""
